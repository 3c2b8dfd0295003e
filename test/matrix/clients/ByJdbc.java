import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.sql.DriverManager;
import java.sql.SQLException;

/** Logs in by each URL of the standard input, asks what the argument says, and prints a line of what came of it. */
class ByJdbc {
  public static void main(String[] arguments) throws Exception {
    var urls = new BufferedReader(new InputStreamReader(System.in));
    for (var url = urls.readLine(); url != null; url = urls.readLine())
      System.out.println(logIn(url, arguments[0]).replaceAll("\\s+", " ").trim());
  }

  /** The driver does not say whether its own connection is encrypted. */
  static String logIn(String url, String question) {
    try (var client = DriverManager.getConnection(url);
        var rows = client.createStatement().executeQuery(question)) {
      rows.next();
      return "connects " + rows.getString(1) + " ?";
    } catch (SQLException error) {
      return "refused " + error.getMessage();
    }
  }
}

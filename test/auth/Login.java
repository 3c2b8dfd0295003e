import java.sql.DriverManager;

/** Logs in by JDBC, with libpq's variables, and prints the current user. */
class Login {
  public static void main(String[] arguments) throws Exception {
    var env = System.getenv();
    var url = "jdbc:postgresql://" + env.get("PGHOST") + ":" + env.get("PGPORT") + "/" + env.get("PGDATABASE");
    try (var client = DriverManager.getConnection(url, env.get("PGUSER"), env.get("PGPASSWORD"));
        var rows = client.createStatement().executeQuery("SELECT current_user")) {
      rows.next();
      System.out.println(rows.getString(1));
    }
  }
}

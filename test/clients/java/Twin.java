import java.net.URI;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/**
 * One schema made twice: with enforced keys, asked directly, and NOT ENFORCED, asked through the proxy. The first is
 * the oracle for the second: a test runs its steps on both, and what it saw and what is left must be equal.
 */
abstract class Twin {
  enum Side {
    NATIVE("PGCASCADE_TEST_DIRECT_URL"),
    PROXIED("PGCASCADE_TEST_PROXY_URL");

    final String variable;

    Side(String variable) {
      this.variable = variable;
    }

    Connection connect(String options) throws SQLException {
      URI uri = URI.create(System.getenv(variable));
      String database = "jdbc:postgresql://" + uri.getHost() + ":" + uri.getPort() + uri.getPath();
      return DriverManager.getConnection(database + "?user=" + uri.getUserInfo() + "&" + options);
    }
  }

  /** Takes a connection, and gives what the client saw. */
  interface Steps {
    Object on(Connection connection) throws Exception;
  }

  /** The rows that are gone, by table. */
  static final class Gone extends TreeMap<String, Set<Integer>> {
    private static final long serialVersionUID = 1;

    Gone and(String table, Integer... ids) {
      computeIfAbsent(table, name -> new TreeSet<>()).addAll(Arrays.asList(ids));
      return this;
    }
  }

  /** What an error of each rule tells a program: org 4 has an invoice, user 52 a badge. */
  static final Map<String, Object> NO_ACTION =
      broken("23503", "orgs", "foreign key constraint \"invoices_org_fkey\"", "invoices", 4, "still referenced");

  static final Map<String, Object> RESTRICT =
      broken(
          "23001", "users", "RESTRICT setting of foreign key constraint \"badges_user_fkey\"", "badges", 52, "referenced");

  private static final Map<Side, Connection> ASKERS = new EnumMap<>(Side.class);

  private final String options;

  /** @param options those of the tests' connections, as the URL takes them */
  Twin(String options) {
    this.options = options;
  }

  static Gone nothing() {
    return new Gone();
  }

  /** All that goes with these users. */
  static Gone users(int... ids) {
    Gone gone = new Gone();
    for (int id : ids) gone.and("users", id).and("nulled", id).and("posts", 10 * id + 1, 10 * id + 2);
    return gone;
  }

  /** All that goes with these orgs. */
  static Gone orgs(int... ids) {
    Gone gone = new Gone();
    for (int id : ids) {
      gone.and("orgs", id);
      users(10 * id + 1, 10 * id + 2).forEach((table, rows) -> gone.and(table, rows.toArray(Integer[]::new)));
    }
    return gone;
  }

  static Gone both(Gone one, Gone other) {
    other.forEach((table, rows) -> one.and(table, rows.toArray(Integer[]::new)));
    return one;
  }

  /** The one value that a query answers. */
  static String ask(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      rows.next();
      return rows.getString(1);
    }
  }

  /** The same of an error that came. */
  static Map<String, Object> fields(SQLException error) {
    ServerErrorMessage told = ((PSQLException) error).getServerErrorMessage();
    return row(
        "severity", told.getSeverity(), "state", error.getSQLState(), "message", told.getMessage(),
        "detail", told.getDetail(), "hint", told.getHint(), "position", told.getPosition(),
        "schema", told.getSchema(), "table", told.getTable(), "column", told.getColumn(),
        "constraint", told.getConstraint());
  }

  /** Runs the steps on both sides, a new connection each, and looks at what is committed afterwards. */
  void expect(Steps steps, Object seen, Gone gone) throws Exception {
    Map<String, Object> wanted = row("seen", seen, "gone", gone);
    Map<String, Object> on = new LinkedHashMap<>();
    for (Side side : Side.values()) on.put(side.name(), run(side, steps));
    if (!Objects.equals(on.get("PROXIED"), on.get("NATIVE")))
      throw new AssertionError("the proxy is not as the enforced keys:\n" + lines(on));
    if (!wanted.equals(on.get("PROXIED")))
      throw new AssertionError("expected otherwise:\n" + lines(row("EXPECTED", wanted, "PROXIED", on.get("PROXIED"))));
  }

  /** A map that may have null in it, of names and values in turn. */
  static Map<String, Object> row(Object... pairs) {
    Map<String, Object> row = new LinkedHashMap<>();
    for (int i = 0; i < pairs.length; i += 2) row.put((String) pairs[i], pairs[i + 1]);
    return row;
  }

  private Map<String, Object> run(Side side, Steps steps) throws Exception {
    Connection asker = asker(side);
    ask(asker, "SELECT refill()");
    Map<String, Set<Integer>> before = contents(asker);
    Object seen;
    try (Connection connection = side.connect(options)) {
      seen = steps.on(connection);
    } catch (Exception error) {
      throw new AssertionError("on the side " + side, error);
    }
    Map<String, Set<Integer>> after = contents(asker);
    Gone gone = new Gone();
    before.forEach((table, rows) -> {
      Set<Integer> changed = new TreeSet<>(rows);
      changed.removeAll(after.get(table));
      for (Integer id : after.get(table)) if (!rows.contains(id)) changed.add(id);
      if (!changed.isEmpty()) gone.put(table, changed);
    });
    return row("seen", seen, "gone", gone);
  }

  /** A connection beside those of the tests, that ends with the program. */
  private static Connection asker(Side side) throws SQLException {
    Connection asker = ASKERS.get(side);
    if (asker == null) {
      asker = side.connect("");
      ASKERS.put(side, asker);
    }
    return asker;
  }

  private static Map<String, Set<Integer>> contents(Connection connection) throws SQLException {
    Map<String, Set<Integer>> contents = new TreeMap<>();
    for (String line : ask(connection, "SELECT contents()").split("\n")) {
      String[] words = line.split(" ");
      Set<Integer> ids = new TreeSet<>();
      for (int i = 1; i < words.length; i++) ids.add(Integer.valueOf(words[i]));
      contents.put(words[0], ids);
    }
    return contents;
  }

  private static Map<String, Object> broken(
      String state, String table, String rule, String child, int id, String how) {
    return row(
        "severity", "ERROR", "state", state,
        "message", "update or delete on table \"%s\" violates %s on table \"%s\"".formatted(table, rule, child),
        "detail", "Key (id)=(%d) is %s from table \"%s\".".formatted(id, how, child),
        "hint", null, "position", 0, "schema", "public", "table", child, "column", null,
        "constraint", rule.split("\"")[1]);
  }

  private static String lines(Map<String, Object> values) {
    StringBuilder lines = new StringBuilder();
    values.forEach((name, value) -> lines.append(name).append(": ").append(value).append('\n'));
    return lines.toString();
  }
}

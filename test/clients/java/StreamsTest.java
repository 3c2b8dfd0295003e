import java.io.StringReader;
import java.io.StringWriter;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.postgresql.copy.CopyManager;

/** What is more than a statement and its answer: descriptions, parts of results, COPY, notifications, cancelling. */
class StreamsTest extends Twin {
  StreamsTest() {
    super("prepareThreshold=1");
  }

  public void describeADeleteBeforeItRuns() throws Exception {
    expect(
        connection -> {
          String command = "DELETE FROM orgs WHERE id = ? AND name > ? RETURNING name, id";
          try (PreparedStatement delete = connection.prepareStatement(command)) {
            List<Object> seen = new ArrayList<>();
            for (int i = 1; i <= 2; i++) seen.add(delete.getParameterMetaData().getParameterTypeName(i));
            for (int i = 1; i <= 2; i++) seen.add(delete.getMetaData().getColumnName(i));
            delete.setInt(1, 1);
            delete.setString(2, "");
            seen.add(delete.execute());
            return seen;
          }
        },
        List.of("int4", "text", "name", "id", true),
        orgs(1));
  }

  public void fetchRowsInPartsWhileACascadeDeletesThem() throws Exception {
    expect(
        connection -> {
          connection.setAutoCommit(false);
          List<Integer> seen = new ArrayList<>();
          try (Statement select = connection.createStatement()) {
            select.setFetchSize(3);
            try (ResultSet rows = select.executeQuery("SELECT id FROM users ORDER BY id")) {
              rows.next();
              seen.add(rows.getInt(1));
              delete(connection, 1, 2);
              while (rows.next()) seen.add(rows.getInt(1));
            }
          }
          connection.commit();
          return seen;
        },
        List.of(11, 12, 21, 22, 31, 32, 41, 42, 51, 52),
        orgs(1, 2));
  }

  public void fetchTheRowsOfADeleteInParts() throws Exception {
    expect(
        connection -> {
          connection.setAutoCommit(false);
          TreeSet<Integer> seen = new TreeSet<>();
          try (PreparedStatement delete = connection.prepareStatement("DELETE FROM orgs WHERE id < ? RETURNING id")) {
            delete.setInt(1, 4);
            delete.setFetchSize(2);
            try (ResultSet rows = delete.executeQuery()) {
              while (rows.next()) seen.add(rows.getInt(1));
            }
          }
          connection.commit();
          return List.copyOf(seen);
        },
        List.of(1, 2, 3),
        orgs(1, 2, 3));
  }

  public void fetchNoMoreRowsOfADeleteThanAreWantedThoughAllAreDeleted() throws Exception {
    expect(
        connection -> {
          int seen = 0;
          try (Statement delete = connection.createStatement()) {
            delete.setMaxRows(2);
            try (ResultSet rows = delete.executeQuery("DELETE FROM orgs WHERE id < 4 RETURNING id")) {
              while (rows.next()) seen++;
            }
          }
          return seen;
        },
        2,
        orgs(1, 2, 3));
  }

  public void holdACursorOverTheCommitOfACascade() throws Exception {
    expect(
        connection -> {
          connection.setAutoCommit(false);
          try (Statement cursor = connection.createStatement()) {
            cursor.execute("DECLARE held CURSOR WITH HOLD FOR SELECT id FROM orgs ORDER BY id");
            delete(connection, 1);
            connection.commit();
            List<String> seen = new ArrayList<>();
            for (int i = 0; i < 3; i++) seen.add(ask(connection, "FETCH NEXT FROM held"));
            connection.commit();
            return seen;
          }
        },
        List.of("1", "2", "3"),
        orgs(1));
  }

  public void deleteWhereACursorStands() throws Exception {
    expect(
        connection -> {
          connection.setAutoCommit(false);
          try (Statement cursor = connection.createStatement()) {
            cursor.execute("DECLARE place CURSOR FOR SELECT id FROM orgs ORDER BY id FOR UPDATE");
            ask(connection, "FETCH ABSOLUTE 3 FROM place");
            int count = cursor.executeUpdate("DELETE FROM orgs WHERE CURRENT OF place");
            connection.commit();
            return count;
          }
        },
        1,
        orgs(3));
  }

  public void copyWhatIsLeftAndBringRowsBack() throws Exception {
    expect(
        connection -> {
          delete(connection, 1, 2, 3);
          CopyManager copy = connection.unwrap(PGConnection.class).getCopyAPI();
          StringWriter left = new StringWriter();
          copy.copyOut("COPY (SELECT id FROM users ORDER BY id) TO STDOUT", left);
          long back = copy.copyIn("COPY orgs (id, name) FROM STDIN", new StringReader("1\tback\n"));
          return List.of(left.toString(), back);
        },
        List.of("41\n42\n51\n52\n", 1L),
        both(orgs(2, 3), users(11, 12)));
  }

  public void hearNotificationsBesideACascade() throws Exception {
    expect(
        connection -> {
          try (Statement statement = connection.createStatement()) {
            statement.execute("LISTEN gone");
            delete(connection, 1);
            statement.execute("NOTIFY gone, 'org 1'");
          }
          List<String> heard = new ArrayList<>();
          for (PGNotification each : connection.unwrap(PGConnection.class).getNotifications())
            heard.add(each.getName() + " " + each.getParameter());
          return heard;
        },
        List.of("gone org 1"),
        orgs(1));
  }

  public void cancelADeleteWhoseCascadeIsThenUndone() throws Exception {
    expect(
        connection -> {
          String running =
              "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND pid = "
                  + ask(connection, "SELECT pg_backend_pid()");
          try (Statement slow = connection.createStatement();
              Connection watcher = Side.NATIVE.connect("")) {
            CompletableFuture<String> state = CompletableFuture.supplyAsync(() -> stateOf(slow));
            while (!state.isDone() && ask(watcher, running).equals("0")) Thread.onSpinWait();
            slow.cancel();
            return List.of(state.get(), delete(connection, 2));
          }
        },
        List.of("57014", 1),
        orgs(2));
  }

  private static String stateOf(Statement slow) {
    try {
      slow.execute("DELETE FROM orgs WHERE id = 1 RETURNING pg_sleep(60)");
      return "was not cancelled";
    } catch (SQLException error) {
      return error.getSQLState();
    }
  }

  private static int delete(Connection connection, Integer... orgs) throws SQLException {
    try (PreparedStatement delete = connection.prepareStatement("DELETE FROM orgs WHERE id = ANY (?)")) {
      delete.setArray(1, connection.createArrayOf("int4", orgs));
      return delete.executeUpdate();
    }
  }
}

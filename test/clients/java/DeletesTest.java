import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.postgresql.PGResultSetMetaData;

class DeletesTest extends Twin {
  private static final String BY_ID = "DELETE FROM orgs WHERE id = ?";

  DeletesTest(Mode mode) {
    super(mode.options);
  }

  public void byPrimaryKeyCountTheRowsOfTheParentOnly() throws Exception {
    expect(
        connection -> {
          try (PreparedStatement delete = connection.prepareStatement(BY_ID)) {
            delete.setInt(1, 1);
            return delete.executeUpdate();
          }
        },
        1,
        orgs(1));
  }

  public void withoutParametersCascade() throws Exception {
    expect(
        connection -> {
          try (Statement delete = connection.createStatement()) {
            return List.of(
                delete.executeUpdate("DELETE FROM orgs WHERE id < 3"),
                delete.executeLargeUpdate("DELETE FROM orgs WHERE id < 3"));
          }
        },
        List.of(2, 0L),
        orgs(1, 2));
  }

  public void byAnArrayCountTheParents() throws Exception {
    expect(
        connection -> {
          Array ids = connection.createArrayOf("int4", new Integer[] {1, 2, 99});
          try (PreparedStatement delete = connection.prepareStatement("DELETE FROM orgs WHERE id = ANY (?)")) {
            delete.setArray(1, ids);
            return delete.executeUpdate();
          }
        },
        2,
        orgs(1, 2));
  }

  public void byBigintUuidAndTextCompareAsTheServerDoes() throws Exception {
    expect(
        connection -> {
          List<Integer> counts = new ArrayList<>();
          counts.add(update(connection, "DELETE FROM accounts WHERE id = ?", (1L << 53) + 1));
          UUID document = UUID.fromString("00000000-0000-4000-8000-000000000002");
          counts.add(update(connection, "DELETE FROM documents WHERE id = ?", document));
          for (String code : List.of("it's", "back\\slash", "größe"))
            counts.add(update(connection, "DELETE FROM topics WHERE code = ?", code));
          return counts;
        },
        List.of(1, 1, 1, 1, 1),
        nothing().and("accounts", 0).and("entries", 0).and("documents", 2).and("pages", 2)
            .and("topics", 2, 3, 4).and("labels", 2, 3, 4));
  }

  public void byNullDeleteNothing() throws Exception {
    expect(
        connection -> {
          try (PreparedStatement delete = connection.prepareStatement(BY_ID)) {
            delete.setNull(1, java.sql.Types.INTEGER);
            return delete.executeUpdate();
          }
        },
        0,
        nothing());
  }

  public void repeatedCascadeEachTime() throws Exception {
    expect(
        connection -> {
          List<Integer> counts = new ArrayList<>();
          try (PreparedStatement delete = connection.prepareStatement("DELETE FROM users WHERE id = ?")) {
            for (int user : new int[] {11, 12, 21, 22, 31, 32, 41, 42, 99}) {
              delete.setInt(1, user);
              counts.add(delete.executeUpdate());
            }
          }
          return counts;
        },
        List.of(1, 1, 1, 1, 1, 1, 1, 1, 0),
        users(11, 12, 21, 22, 31, 32, 41, 42));
  }

  public void repeatedGoOnAfterABrokenRule() throws Exception {
    expect(
        connection -> {
          List<Object> seen = new ArrayList<>();
          try (PreparedStatement delete = connection.prepareStatement(BY_ID)) {
            for (int org : new int[] {1, 4, 2, 5, 4, 5, 4, 3}) {
              delete.setInt(1, org);
              try {
                seen.add(delete.executeUpdate());
              } catch (SQLException error) {
                seen.add(fields(error));
              }
            }
          }
          return seen;
        },
        List.of(1, NO_ACTION, 1, RESTRICT, NO_ACTION, RESTRICT, NO_ACTION, 1),
        orgs(1, 2, 3));
  }

  public void returnRowsOfTheParentWithTheirColumns() throws Exception {
    expect(
        connection -> {
          String command = "DELETE FROM orgs WHERE id = ? RETURNING id, name AS called, version + 1";
          List<Object> seen = new ArrayList<>();
          try (PreparedStatement delete = connection.prepareStatement(command)) {
            delete.setInt(1, 1);
            try (ResultSet rows = delete.executeQuery()) {
              ResultSetMetaData about = rows.getMetaData();
              for (int i = 1; i <= about.getColumnCount(); i++) {
                PGResultSetMetaData origin = (PGResultSetMetaData) about;
                seen.add(
                    List.of(
                        about.getColumnLabel(i),
                        about.getColumnTypeName(i),
                        origin.getBaseTableName(i),
                        origin.getBaseColumnName(i)));
              }
              while (rows.next()) seen.add(List.of(rows.getInt(1), rows.getString(2), rows.getLong(3)));
            }
          }
          return seen;
        },
        List.of(
            List.of("id", "int4", "orgs", "id"),
            List.of("called", "text", "orgs", "name"),
            List.of("?column?", "int4", "", ""),
            List.of(1, "org 1", 2L)),
        orgs(1));
  }

  public void returnGeneratedKeysOfTheParent() throws Exception {
    expect(
        connection -> {
          try (PreparedStatement delete = connection.prepareStatement(BY_ID, new String[] {"id", "name"})) {
            delete.setInt(1, 1);
            int count = delete.executeUpdate();
            try (ResultSet keys = delete.getGeneratedKeys()) {
              keys.next();
              return List.of(count, keys.getInt(1), keys.getString(2), keys.next());
            }
          }
        },
        List.of(1, 1, "org 1", false),
        orgs(1));
  }

  public void ofSeveralStatementsInOneStringCountEach() throws Exception {
    expect(
        connection -> {
          String commands = "DELETE FROM orgs WHERE id = ?; SELECT 7; DELETE FROM users WHERE id IN (?, 22)";
          List<Object> seen = new ArrayList<>();
          try (PreparedStatement deletes = connection.prepareStatement(commands)) {
            deletes.setInt(1, 1);
            deletes.setInt(2, 21);
            boolean rows = deletes.execute();
            while (rows || deletes.getUpdateCount() >= 0) {
              seen.add(rows ? "rows" : deletes.getUpdateCount());
              rows = deletes.getMoreResults();
            }
          }
          return seen;
        },
        List.of(1, "rows", 2),
        both(orgs(1), users(21, 22)));
  }

  public void ofARowThatAnUpdatableResultShowsCascade() throws Exception {
    expect(
        connection -> {
          int scroll = ResultSet.TYPE_SCROLL_INSENSITIVE;
          try (Statement select = connection.createStatement(scroll, ResultSet.CONCUR_UPDATABLE);
              ResultSet rows = select.executeQuery("SELECT id, name FROM orgs ORDER BY id")) {
            rows.absolute(3);
            rows.deleteRow();
            rows.first();
            rows.deleteRow();
            return rows.getRow();
          }
        },
        0,
        orgs(1, 3));
  }

  private static int update(Connection connection, String command, Object value) throws SQLException {
    try (PreparedStatement delete = connection.prepareStatement(command)) {
      delete.setObject(1, value);
      return delete.executeUpdate();
    }
  }
}

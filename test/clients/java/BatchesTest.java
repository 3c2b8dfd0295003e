import java.sql.BatchUpdateException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.postgresql.util.PSQLException;

class BatchesTest extends Twin {
  private static final String BY_ID = "DELETE FROM orgs WHERE id = ?";

  private final Mode mode;

  BatchesTest(Mode mode) {
    super(mode.options);
    this.mode = mode;
  }

  public void countTheParentsOfEach() throws Exception {
    expect(connection -> counts(connection, 1, 99, 2, 3), List.of(1, 0, 1, 1), orgs(1, 2, 3));
  }

  public void inATransactionCascadeWithItsCommit() throws Exception {
    expect(
        connection -> {
          connection.setAutoCommit(false);
          List<Integer> counts = counts(connection, 1, 2);
          connection.commit();
          counts.addAll(counts(connection, 3));
          connection.rollback();
          return counts;
        },
        List.of(1, 1, 1),
        orgs(1, 2));
  }

  public void longerThanABufferCascadeEach() throws Exception {
    int[] ids = IntStream.range(0, 600).map(i -> i % 200 == 0 ? i / 200 + 1 : 1000 + i).toArray();
    expect(
        connection -> {
          connection.setAutoCommit(false);
          int sum = counts(connection, ids).stream().mapToInt(Integer::intValue).sum();
          connection.commit();
          return sum;
        },
        3,
        orgs(1, 2, 3));
  }

  public void runAgainCascadeAgain() throws Exception {
    expect(
        connection -> {
          List<Integer> counts = new ArrayList<>();
          try (PreparedStatement delete = connection.prepareStatement("DELETE FROM users WHERE id = ?")) {
            for (int org = 1; org <= 4; org++) {
              for (int j = 1; j <= 2; j++) {
                delete.setInt(1, 10 * org + j);
                delete.addBatch();
              }
              for (int count : delete.executeBatch()) counts.add(count);
            }
          }
          return counts;
        },
        List.of(1, 1, 1, 1, 1, 1, 1, 1),
        users(11, 12, 21, 22, 31, 32, 41, 42));
  }

  public void giveTheKeysOfTheRowsOfTheParent() throws Exception {
    expect(
        connection -> {
          try (PreparedStatement delete = connection.prepareStatement(BY_ID, new String[] {"name"})) {
            for (int org : new int[] {1, 99, 3}) {
              delete.setInt(1, org);
              delete.addBatch();
            }
            int[] counts = delete.executeBatch();
            List<String> names = new ArrayList<>();
            try (ResultSet keys = delete.getGeneratedKeys()) {
              while (keys.next()) names.add(keys.getString("name"));
            }
            return List.of(Arrays.toString(counts), names);
          }
        },
        List.of("[1, 0, 1]", List.of("org 1", "org 3")),
        orgs(1, 3));
  }

  public void ofDifferentStatementsCountEach() throws Exception {
    expect(
        connection -> {
          try (Statement batch = connection.createStatement()) {
            batch.addBatch("DELETE FROM orgs WHERE id = 1");
            batch.addBatch("UPDATE orgs SET version = 2 WHERE id IN (2, 3)");
            batch.addBatch("DELETE FROM users WHERE id IN (21, 31)");
            batch.addBatch("DELETE FROM orgs WHERE id = 99");
            return Arrays.toString(batch.executeBatch());
          }
        },
        "[1, 2, 2, 0]",
        both(orgs(1), users(21, 31)));
  }

  public void thatBreakARuleTellWhichAndDeleteNothing() throws Exception {
    // In the simple protocol each statement of a batch commits on its own.
    if (mode == Mode.IN_THE_SIMPLE_PROTOCOL)
      expect(connection -> broken(connection, 1, 5, 2), List.of("[1, -3, 1]", RESTRICT), orgs(1, 2));
    else expect(connection -> broken(connection, 1, 5, 2), List.of("[-3, -3, -3]", RESTRICT), nothing());
  }

  public void thatBreakARuleInATransactionLeaveItToItsRollback() throws Exception {
    expect(
        connection -> {
          connection.setAutoCommit(false);
          Object seen = broken(connection, 1, 4, 2);
          connection.rollback();
          connection.setAutoCommit(true);
          return List.of(seen, counts(connection, 3));
        },
        List.of(List.of("[-3, -3, -3]", NO_ACTION), List.of(1)),
        orgs(3));
  }

  private static List<Integer> counts(Connection connection, int... ids) throws SQLException {
    try (PreparedStatement delete = connection.prepareStatement(BY_ID)) {
      for (int id : ids) {
        delete.setInt(1, id);
        delete.addBatch();
      }
      return new ArrayList<>(Arrays.stream(delete.executeBatch()).boxed().toList());
    }
  }

  private static Object broken(Connection connection, int... ids) throws SQLException {
    try {
      return counts(connection, ids);
    } catch (BatchUpdateException error) {
      return List.of(Arrays.toString(error.getUpdateCounts()), fields((PSQLException) error.getNextException()));
    }
  }
}

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.util.ArrayList;
import java.util.List;

class TransactionsTest extends Twin {
  TransactionsTest(Mode mode) {
    super(mode.options);
  }

  public void thatAreRolledBackBringParentAndChildrenBack() throws Exception {
    expect(
        connection -> {
          connection.setAutoCommit(false);
          int count = delete(connection, 1);
          String during = ask(connection, "SELECT count(*) FROM users");
          connection.rollback();
          return List.of(count, during, ask(connection, "SELECT count(*) FROM users"));
        },
        List.of(1, "8", "10"),
        nothing());
  }

  public void keepWhatStoodBeforeASavepoint() throws Exception {
    expect(
        connection -> {
          connection.setAutoCommit(false);
          delete(connection, 1);
          Savepoint unnamed = connection.setSavepoint();
          delete(connection, 2);
          connection.rollback(unnamed);
          Savepoint named = connection.setSavepoint("before 3");
          delete(connection, 3);
          connection.releaseSavepoint(named);
          connection.commit();
          return null;
        },
        null,
        orgs(1, 3));
  }

  public void goOnAfterAnErrorByASavepoint() throws Exception {
    expect(
        connection -> {
          connection.setAutoCommit(false);
          List<Object> seen = new ArrayList<>();
          for (int org = 1; org <= 5; org++) {
            Savepoint before = connection.setSavepoint();
            try {
              seen.add(delete(connection, org));
            } catch (SQLException error) {
              seen.add(fields(error));
              connection.rollback(before);
            }
          }
          connection.commit();
          return seen;
        },
        List.of(1, 1, 1, NO_ACTION, RESTRICT),
        orgs(1, 2, 3));
  }

  public void takeNothingMoreAfterAnErrorUntilRollback() throws Exception {
    expect(
        connection -> {
          connection.setAutoCommit(false);
          delete(connection, 1);
          List<String> states = new ArrayList<>();
          for (int org : new int[] {5, 2}) {
            try {
              delete(connection, org);
            } catch (SQLException error) {
              states.add(error.getSQLState());
            }
          }
          connection.rollback();
          delete(connection, 3);
          connection.commit();
          return states;
        },
        List.of("23001", "25P02"),
        orgs(3));
  }

  public void inRepeatableReadAndSerializableCascade() throws Exception {
    expect(
        connection -> {
          connection.setAutoCommit(false);
          connection.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
          int first = delete(connection, 1);
          connection.commit();
          connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
          int second = delete(connection, 2);
          connection.commit();
          return first + second;
        },
        2,
        orgs(1, 2));
  }

  public void thatChangeTheSchemaCascadeByTheirOwnKeys() throws Exception {
    expect(
        connection -> {
          connection.setAutoCommit(false);
          try (PreparedStatement delete = connection.prepareStatement("DELETE FROM users WHERE id = ?")) {
            delete.setInt(1, 11);
            delete.executeUpdate();
            connection.createStatement().execute("ALTER TABLE posts DROP CONSTRAINT posts_user_fkey");
            delete.setInt(1, 21);
            delete.executeUpdate();
            String left = ask(connection, "SELECT count(*) FROM posts WHERE user_id = 21");
            connection.rollback();
            delete.setInt(1, 22);
            delete.executeUpdate();
            connection.commit();
            return left;
          }
        },
        "2",
        users(22));
  }

  private static int delete(Connection connection, int org) throws SQLException {
    try (PreparedStatement delete = connection.prepareStatement("DELETE FROM orgs WHERE id = ?")) {
      delete.setInt(1, org);
      return delete.executeUpdate();
    }
  }
}

import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/** With this option the driver sets a savepoint before each statement, and goes back to it after an error. */
class AutosaveTest extends Twin {
  AutosaveTest() {
    super("autosave=always&prepareThreshold=1");
  }

  public void preparesAnewWhatReturnsOtherColumns() throws Exception {
    expect(
        connection -> {
          List<Object> seen = new ArrayList<>();
          String text = "DELETE FROM orgs WHERE id = ? RETURNING *";
          try (PreparedStatement delete = connection.prepareStatement(text);
              Statement change = connection.createStatement()) {
            for (int org = 1; org <= 3; org++) {
              if (org == 2) {
                // Without the index the proxy finds posts in another way: it has to send another text.
                change.execute("DROP INDEX posts_user_id_idx");
                change.execute("ALTER TABLE orgs ADD COLUMN price float8 DEFAULT 1.5");
              }
              connection.setAutoCommit(org != 3);
              delete.setInt(1, org);
              try (ResultSet rows = delete.executeQuery()) {
                rows.next();
                seen.add(rows.getMetaData().getColumnCount());
                seen.add(rows.getObject(rows.getMetaData().getColumnCount()));
              }
              if (org == 3) connection.commit();
            }
            change.execute("ALTER TABLE orgs DROP COLUMN price");
            change.execute("CREATE INDEX posts_user_id_idx ON posts (user_id)");
            connection.commit();
          }
          return seen;
        },
        List.of(3, 1, 4, 1.5, 4, 1.5),
        orgs(1, 2, 3));
  }

  public void goesOnAfterBrokenRulesInATransaction() throws Exception {
    expect(
        connection -> {
          connection.setAutoCommit(false);
          List<Object> seen = new ArrayList<>();
          try (PreparedStatement delete = connection.prepareStatement("DELETE FROM orgs WHERE id = ?")) {
            for (int org = 5; org > 0; org--) {
              delete.setInt(1, org);
              try {
                seen.add(delete.executeUpdate());
              } catch (SQLException error) {
                seen.add(fields(error));
              }
            }
          }
          connection.commit();
          return seen;
        },
        List.of(RESTRICT, NO_ACTION, 1, 1, 1),
        orgs(1, 2, 3));
  }
}

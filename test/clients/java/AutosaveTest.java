import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** With this option the driver sets a savepoint before each statement, and goes back to it after an error. */
class AutosaveTest extends Twin {
  AutosaveTest() {
    super("autosave=always&prepareThreshold=1");
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

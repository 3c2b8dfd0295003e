/** The ways in which the driver sends a statement. */
enum Mode {
  /** With the fifth execution it gets a name, and its results come in binary where the driver can read them. */
  PREPARED_LATER("prepareThreshold=5"),
  PREPARED_AT_ONCE("prepareThreshold=1"),
  /** It is described first, so that even its first results come in binary. */
  BINARY_AT_ONCE("prepareThreshold=-1"),
  NEVER_PREPARED("prepareThreshold=0&binaryTransfer=false"),
  IN_THE_SIMPLE_PROTOCOL("preferQueryMode=simple"),
  /** Statements without parameters are kept and prepared as well. */
  ALL_CACHED("preferQueryMode=extendedCacheEverything&prepareThreshold=1");

  final String options;

  Mode(String options) {
    this.options = options;
  }
}

/** JDBC, with Debian's driver, gets through the proxy what it gets from enforced keys. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isInstalled } from '../support/programs.js';
import {
  type ForeignTest,
  jsonLines,
  output,
  showMissing,
  showTests,
  useTwinVariables,
} from './foreign-tests.js';

const driver = '/usr/share/java/postgresql.jar';
const runner = (command: 'list' | 'run') => ({
  program: 'java',
  // A short life: it starts sooner without the optimising compiler.
  args: ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-cp', driver, 'Runner.java', command],
  cwd: fileURLToPath(new URL('java', import.meta.url)),
});

if (!isInstalled('javac')) {
  showMissing('JDBC', 'a JDK', 'default-jdk-headless');
} else if (!existsSync(driver)) {
  showMissing('JDBC', "PostgreSQL's JDBC driver", 'libpostgresql-jdbc-java');
} else {
  showTests('JDBC', jsonLines<ForeignTest>(await output(runner('list'))), runner('run'), useTwinVariables());
}

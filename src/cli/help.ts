/** What `--help` prints: each command, and each of the OPTIONS (arguments.ts). */
export const HELP = `pgcascade: a PostgreSQL proxy that emulates referential cascades

Usage: pgcascade [command] [flags]

Commands
  serve           run the proxy (the default)
  check-config    validate the configuration: exit 0, or 2 with what is wrong
  doctor [URL]    report what would not work in graph.url or URL: orphans, rights, indexes; exit 1 with something to do
  script "DELETE" print ordered deletes for sqlite3, mysql or psql, for a database without a proxy
  install [URL]   make the event trigger that reports schema changes, in graph.url or URL (as superuser)
  uninstall [URL] remove what install made

Flags
  -c, --config FILE     a YAML file; else PGCASCADE_CONFIG, else ./pgcascade.yaml if there is one
  --listen ADDRESS      where clients connect, such as 127.0.0.1:6432; may be repeated
  --upstream URL        the database, such as postgres://db:5432; without one, an embedded sample
  --profile NAME        what the server is; auto recognises it (docs/databases.md)
  --url URL             the database of doctor, install and uninstall, as the argument after them
  --format FORMAT       text or json: how doctor and script report
  --schema FILE         the tables that script goes by: what pg_dump, mysqldump or .schema prints
  --dialect NAME        of --schema and of the DELETE: sqlite, mysql, mariadb or postgresql
  --out FILE            where script writes; else to standard output
  -h, --help            this text, as the command help
  -v, -V, --version     the version, as the command version

Every key of the file is also an environment variable: graph.refresh is PGCASCADE_GRAPH_REFRESH.
Exit codes: 0 done; 1 failed while running; 2 bad usage or configuration; 143, 130 ended by a signal.
`;

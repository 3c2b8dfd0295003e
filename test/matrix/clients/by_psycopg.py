"""Logs in by each connection string of the standard input, asks what the argument says, and prints a line of what came of it."""
import sys

import psycopg

for line in sys.stdin:
    try:
        with psycopg.connect(line.strip()) as client:
            who = client.execute(sys.argv[1]).fetchone()[0]
            answer = f"connects {who} {'t' if client.pgconn.ssl_in_use else 'f'}"
    except psycopg.Error as error:
        answer = f"refused {error}"
    print(" ".join(answer.split()), flush=True)

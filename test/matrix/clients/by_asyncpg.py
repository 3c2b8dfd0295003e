"""Logs in by each connection string of the standard input, asks what the argument says, and prints a line of what came of it."""
import asyncio
import sys

import asyncpg


async def log_in(target):
    try:
        client = await asyncpg.connect(target)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        return f"refused {error}"
    try:
        encrypted = client._transport.get_extra_info("sslcontext") is not None
        return f"connects {await client.fetchval(sys.argv[1])} {'t' if encrypted else 'f'}"
    finally:
        await client.close()


async def main():
    for line in sys.stdin:
        print(" ".join((await log_in(line.strip())).split()), flush=True)


asyncio.run(main())

// `node --expose-gc --import` this file: the program tells its parent how much memory it uses behind a collection, whenever it is asked.
process.on('message', () => {
  globalThis.gc();
  const { rss, heapUsed, external } = process.memoryUsage();
  process.send({ rss, heapUsed, external });
});
// To be asked is no reason to live.
process.channel.unref();

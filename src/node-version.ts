/** Imported first by each process of its own: an older Node.js would fail somewhere inside, without saying why. */
if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(`Dépêche needs Node.js 24, and this is ${process.versions.node}: install 24.\n`)
  process.exit(1)
}

import { SMTPServer } from 'smtp-server'

/** A server that encrypts and signs in who asks for it, and throws away what it is given. Tells its port first. */
const server = new SMTPServer({
  authOptional: true,
  onAuth(_auth, _session, callback) {
    callback(null, { user: 'depeche' })
  },
  onData(stream, _session, callback) {
    stream.once('end', callback)
    stream.resume()
  },
})
server.on('error', () => undefined)
server.listen(0, '127.0.0.1', () => {
  const address = server.server.address()
  process.send?.(typeof address === 'object' ? address?.port : 0)
})
process.on('disconnect', () => process.exit(0))

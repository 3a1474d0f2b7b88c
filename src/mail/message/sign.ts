import {
  createHash,
  createPrivateKey,
  createPublicKey,
  sign as signBytes,
  verify as verifyBytes,
  type KeyObject,
} from 'node:crypto'
import { promisify } from 'node:util'
import { canonicalBodyHash, readHeaders, relaxHeader, splitMessage, type Header } from './canonical.ts'
import { foldWords } from './encoding.ts'

export interface DkimKeys {
  domain: string
  selector: string
  privateKey: string
  ed25519?: { selector: string; privateKey: string } | undefined
}

export type Signer = ReturnType<typeof createSigner>

/** Each is listed once more than it occurs, so that a second one, put in front later, breaks the signature. */
const oversigned = (
  'From To Cc Subject Date Reply-To Sender Message-ID MIME-Version Content-Type Content-Transfer-Encoding ' +
  'List-Id List-Unsubscribe List-Unsubscribe-Post List-Help List-Archive List-Post Auto-Submitted'
).split(' ')
const signed = ['Feedback-ID', 'Precedence']
const lifetimeSeconds = 14 * 24 * 3600

interface Key {
  algorithm: 'rsa-sha256' | 'ed25519-sha256'
  selector: string
  key: KeyObject
}

/**
 * Signs finished bytes (RFC 6376 relaxed/relaxed, RFC 8463): with RSA, and with Ed25519 too where there is a key.
 * @throws Error at once when a key cannot be read, or does not verify its own signature
 */
export function createSigner(keys: DkimKeys | undefined, now: () => Date = () => new Date()) {
  if (!keys) return { sign: (message: Buffer[]) => Promise.resolve(message), domain: undefined }
  const { domain } = keys
  const rsa = readKey('rsa-sha256', keys.selector, keys.privateKey)
  const ed25519 = keys.ed25519 && readKey('ed25519-sha256', keys.ed25519.selector, keys.ed25519.privateKey)
  return {
    /** What its signatures say in `d=`; undefined where nothing is signed. */
    domain,
    /**
     * The message with its signature headers in front; unchanged where signing is not configured.
     * @throws when signing fails: an unsigned mail never leaves where signing is configured
     */
    async sign(message: Buffer[]): Promise<Buffer[]> {
      const { header, body } = splitMessage(message)
      const headers = readHeaders(header)
      const about = { domain, headers, bodyHash: canonicalBodyHash(body), at: now() }
      const signatures = await Promise.all(
        [rsa, ...(ed25519 ? [ed25519] : [])].map((key) => signWith(key, about)),
      )
      return [...signatures.map((text) => Buffer.from(text, 'latin1')), ...message]
    },
  }
}

interface About {
  domain: string
  headers: Header[]
  bodyHash: string
  at: Date
}

async function signWith({ algorithm, selector, key }: Key, about: About): Promise<string> {
  const { names, canonical } = chooseHeaders(about.headers)
  const at = Math.floor(about.at.getTime() / 1000)
  const tags = [
    'v=1;',
    `a=${algorithm};`,
    'c=relaxed/relaxed;',
    `d=${about.domain};`,
    `s=${selector};`,
    `t=${at};`,
    `x=${at + lifetimeSeconds};`,
    ...`h=${names.join(':')};`.split(/(?<=:)/),
    `bh=${about.bodyHash};`,
    'b=',
  ]
  const header = foldWords('DKIM-Signature:', tags)
  const data = `${canonical}${relaxHeader('DKIM-Signature', header.slice('DKIM-Signature:'.length))}`
  const signature = await signData(algorithm, key, Buffer.from(data, 'latin1'))
  const value = signature.toString('base64').replace(/.{72}(?=.)/g, '$&\r\n ')
  return `${header.slice(0, -2)}\r\n ${value}\r\n`
}

/** Fields of one name are taken from the bottom up; a name without a field left stands for its absence. */
function chooseHeaders(headers: Header[]): { names: string[]; canonical: string } {
  const names: string[] = []
  let canonical = ''
  for (const name of [...oversigned, ...signed]) {
    const folded = name.toLowerCase()
    for (const header of headers.filter((each) => each.name === folded).reverse()) {
      names.push(name)
      canonical += `${relaxHeader(folded, header.value)}\r\n`
    }
    if (oversigned.includes(name)) names.push(name)
  }
  return { names, canonical }
}

/** On libuv's threads: an RSA signature costs half a millisecond that the event loop does not have. */
const signAside = promisify(signBytes)

const signData = (algorithm: Key['algorithm'], key: KeyObject, data: Buffer): Promise<Buffer> =>
  algorithm === 'rsa-sha256'
    ? signAside('sha256', data, key)
    : signAside(null, createHash('sha256').update(data).digest(), key)

/** @param pem of the right kind and length, as the configuration has made sure */
function readKey(algorithm: Key['algorithm'], selector: string, pem: string): Key {
  const key = createPrivateKey(pem)
  const digest = createHash('sha256').update(selector).digest()
  const hash = algorithm === 'rsa-sha256' ? 'sha256' : null
  if (!verifyBytes(hash, digest, createPublicKey(key), signBytes(hash, digest, key))) {
    throw new Error(`the DKIM key of the selector ${selector} does not verify its own signature`)
  }
  return { algorithm, selector, key }
}

/** The `p=` of the DNS record that publishes a key. */
export function publicKeyOf(pem: string): string {
  const key = createPublicKey(createPrivateKey(pem))
  const der = key.export({ type: 'spki', format: 'der' })
  // RFC 8463: Ed25519 publishes the bare 32 bytes.
  return (key.asymmetricKeyType === 'ed25519' ? der.subarray(-32) : der).toString('base64')
}

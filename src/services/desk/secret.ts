import { createHash, randomBytes } from 'node:crypto'

/** 256 random bits as 43 letters; what is stored of it is `hashOf`. */
export const randomSecret = (): string => randomBytes(32).toString('base64url')

/** SHA-256 is enough for secrets of 256 random bits: nobody guesses them, whatever a guess costs. */
export const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest()

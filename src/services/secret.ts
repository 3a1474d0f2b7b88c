import { hash, randomBytes } from 'node:crypto'

/** 256 random bits as 43 letters; what is stored of it is `sha256`. */
export const randomSecret = (): string => randomBytes(32).toString('base64url')

/** Enough for secrets of 256 random bits: nobody guesses them, whatever a guess costs. */
export const sha256 = (secret: string): Buffer => hash('sha256', secret, 'buffer')

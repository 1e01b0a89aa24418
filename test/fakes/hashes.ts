// Password hashes that cost next to nothing to verify, and some that cost as much as real ones.

import { hash as argon2Hash } from '@node-rs/argon2'
import { hash as bcryptHash } from '@node-rs/bcrypt'

/** The least that RFC 9106 §3.1 allows: 8 KiB, one pass, one lane. */
export const cheapHash = async (password: string): Promise<string> =>
  await argon2Hash(password, { memoryCost: 8, timeCost: 1, parallelism: 1 })

/** argon2id with chosen costs. */
export const argon2idHash = async (
  password: string,
  memoryCost: number,
  timeCost = 1,
): Promise<string> => await argon2Hash(password, { memoryCost, timeCost, parallelism: 1 })

/** bcrypt; the variants differ in name only. */
export const bcryptHashOf = async (
  password: string,
  variant: '2a' | '2b' | '2y' = '2b',
  cost = 4,
): Promise<string> => (await bcryptHash(password, cost)).replace(/^\$2[aby]/, `$${variant}`)

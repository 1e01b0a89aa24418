// Passwords of a users file.

import { PASSWORD } from '../site.ts'
import type { StartScheme } from './scheme.ts'

/** HTTP Basic against a users file. */
export const usersFile: StartScheme = async (installation, users) => {
  const file = await installation.users(users.length, 'usual')
  return {
    name: 'Basic, users file (argon2id)',
    authenticator: (remember) => ({
      basic: { verify: [{ users: { file } }], remember },
    }),
    credential: (user) => ({ headers: [['authorization', basic(user)]] }),
    proofs: 'few',
    remembers: true,
  }
}

const basic = (user: string): string =>
  `Basic ${Buffer.from(`${user}:${PASSWORD}`).toString('base64')}`

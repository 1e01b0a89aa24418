// Every password verifier, and the fake of one, against the contract.

import { HashPool } from '../../../src/authenticate/password/hash.ts'
import { UsersFile } from '../../../src/authenticate/password/users-file.ts'
import { bcryptHashOf, cheapHash } from '../../fakes/hashes.ts'
import { FakeVerifier } from '../../fakes/password-verifier.ts'
import { CONFORMANCE_USERS, verifierConformance } from './conformance.ts'

const [argon2id, bcrypt] = await Promise.all(
  [cheapHash, bcryptHashOf].map((hash) =>
    Promise.all(
      Object.entries(CONFORMANCE_USERS).map(async ([name, { password, disabled }]) => ({
        name,
        disabled,
        hash: await hash(password),
      })),
    ),
  ),
)

const yaml = (users: typeof argon2id = []): string =>
  JSON.stringify({
    users: Object.fromEntries(
      users.map(({ name, hash, disabled }) => [name, { password: hash, disabled }]),
    ),
  })

verifierConformance('the fake', async () => new FakeVerifier(CONFORMANCE_USERS))

verifierConformance('a users file with argon2id', async () =>
  UsersFile.parse('/etc/users.yaml', yaml(argon2id), new HashPool()),
)

verifierConformance('a users file with bcrypt', async () =>
  UsersFile.parse('/etc/users.yaml', yaml(bcrypt), new HashPool()),
)

// The user name and password for Redis. A password in a file is read again for each connection, since clouds replace
// it every quarter of an hour (IAM), and administrators now and then.

import { ConfigurationFiles } from '../../config/files.ts'
import { describeReference, readSecret } from '../../config/secret.ts'
import type { SecretReference } from '../../config/values.ts'
import { parseRedisUrl, type Login } from './address.ts'

/** Where they are. */
export type LoginSource =
  | ({ readonly kind: 'fixed' } & Login)
  /** In the address, which is in a file. */
  | { readonly kind: 'url'; readonly reference: SecretReference }
  | {
      readonly kind: 'password'
      readonly username: string | undefined
      readonly reference: SecretReference
    }

/**
 * Reads them as they are now.
 *
 * @throws CountersignError `file-unreadable`, `configuration-invalid`
 */
export const readLogin = async (source: LoginSource): Promise<Login> => {
  if (source.kind === 'fixed') return source
  const text = (await readSecret(source.reference, new ConfigurationFiles())).toString('utf8')
  if (source.kind === 'url') return parseRedisUrl(describeReference(source.reference), text).login
  return { username: source.username, password: text.trim() }
}

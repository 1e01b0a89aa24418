// Fields that several events have.

import * as z from 'zod'
import { METHOD_AMR, type AuthenticationMethod } from '../../identity/identity.ts'

/** The names of a record, as the choices of a schema. */
export const keysOf = <Key extends string>(
  record: Readonly<Record<Key, unknown>>,
): readonly Key[] => Object.keys(record).filter((key): key is Key => Object.hasOwn(record, key))

const text = z.string()

const presented = z
  .strictObject({
    proven: z
      .boolean()
      .describe(
        'Whether the credential itself was proven. If not, the caller may have made up the other fields. A proven one may be refused all the same.',
      ),
    subject: text.exactOptional().describe('Of a certificate: the subject (RFC 4514).'),
    issuer: text.exactOptional().describe('Of a certificate: the issuer (RFC 4514).'),
    serial: text.exactOptional().describe('Of a certificate: the serial number, in hexadecimal.'),
    fingerprint: text
      .exactOptional()
      .describe('Of a certificate: SHA-256 of the DER, in hexadecimal.'),
    iss: text.exactOptional().describe('Of a token: its issuer.'),
    jti: text.exactOptional().describe('Of a token: its id.'),
    client_id: text.exactOptional().describe('Of a token: the client.'),
    azp: text.exactOptional().describe('Of a token without `client_id`: the authorized party.'),
    aud: z.array(text).exactOptional().describe('Of a token: its audiences.'),
    id: text
      .exactOptional()
      .describe('Of an API key its id in the file; of a session its id, which grants no access.'),
    login: text.exactOptional().describe('Of a session: the id of its login.'),
  })
  .describe(
    'Which credential was presented, also where it was refused. At most 256 characters a value, never a secret.',
  )

/** The fields about the client and its credential. */
export const clientFields = {
  user: text
    .optional()
    .describe(
      'The user, as proven and mapped; of a refused credential the claimed name, where it is known to be one.',
    ),
  userHash: text
    .optional()
    .describe(
      'In place of a name that is not known, which may be a password in the wrong field: a keyed hash. With a wrong password, name and hash are both there.',
    ),
  groups: z.array(text).optional().describe('The groups of the user.'),
  groupsOmitted: z
    .int()
    .optional()
    .describe('How many groups were left out by `onExcess: truncate`.'),
  authenticator: text.optional().describe('The authenticator that decided, by its name.'),
  authentication: z
    .enum(keysOf<AuthenticationMethod>(METHOD_AMR))
    .optional()
    .describe('Its method.'),
  credential: text
    .optional()
    .describe(
      'A keyed hash of the credential, comparable within the life of one process. Never the credential.',
    ),
  presented: presented.optional(),
}

/** The address of the caller. */
export const source = text.describe('The address of the caller, as Envoy trusts it.')

/** The id of a login. */
export const login = text
  .optional()
  .describe('The id of the login: joins its events, tokens and sessions. It grants no access.')

/** The configuration that was active. */
export const generation = z
  .int()
  .describe('The configuration that was active, counted from 1 since the start.')

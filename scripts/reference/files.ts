// docs/reference/files.md: the files that a configuration names.

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { z } from 'zod'
import { apiKeyFileSchema } from '../../src/authenticate/api-key/schema.ts'
import { usersSchema } from '../../src/authenticate/password/users-file.ts'
import { block, code, table, type ReferencePage } from './markdown.ts'
import { defaultOf, objectsBelow, schemaNode, typeOf } from './schema-node.ts'

/** An example of a file, which a test reads as the service does. */
export const fileExample = (name: 'users.yaml' | 'api-keys.yaml' | 'denied.txt'): string =>
  readFileSync(resolve(import.meta.dirname, 'examples', name), 'utf8')

/** The page. */
export const filesPage = (): ReferencePage => ({
  file: 'docs/reference/files.md',
  title: 'Files',
  from: 'the schemas of the files, src/authenticate/, and scripts/reference/files.ts',
  body: [
    'The files that a configuration names. authz and the signer follow changes of them without a restart. Relative paths start at the folder of the configuration. `validate` checks their contents and modes.',
    '## Users file',
    '`authenticators.NAME.basic.verify[].users.file`, where its name ends in `.yaml`, `.yml` or `.json`. `countersign hash-password` makes the hashes; `countersign schema users` prints the JSON Schema. A file that every user of the machine can change is refused.',
    block('yaml', fileExample('users.yaml')),
    entryTable(usersSchema),
    '## htpasswd',
    'A users file with any other name: a line `user:hash` for each user, with argon2id or bcrypt; other hashes are refused. Its users have no groups. `countersign hash-password --user NAME` prints a line.',
    '## API keys',
    '`authenticators.NAME.apiKey.file`. `countersign keys api` makes a key and its entry; the key itself is stored nowhere. The name of the entry is the id of the key, which is a part of the key and of audit events.',
    block('yaml', fileExample('api-keys.yaml')),
    entryTable(apiKeyFileSchema),
    '## Deny-list',
    '`authenticators.NAME.certificate.revocation.denied.file`: an entry on each line. Empty lines, and lines that begin with `#`, are skipped. A line that can match nothing is an error.',
    block('text', fileExample('denied.txt')),
    table(
      ['line', 'denies'],
      [
        ['`serial HEX`', 'Certificates with this serial number, of any issuer.'],
        ['`serial HEX issuer NAME`', 'The certificate of this issuer (RFC 4514).'],
        ['`sha256 HEX`', 'The certificate whose DER has this SHA-256.'],
        ['`subject NAME`', 'Certificates with this subject (RFC 4514).'],
      ],
    ),
    '## Keyrings',
    '`certificateGrants.keyring` and `keyring` of signer.yaml, which are the same, and `secret` of `state`, which is another one: a key on each line, 32 bytes in base64url without padding (43 characters). Empty lines, and lines that begin with `#`, are skipped. The first key seals, all of them open. `countersign keys grant` makes and rotates them. Only the owner and the group may read them: a keyring of grants with another mode is refused.',
    '## Signing keys',
    '`issuer.keys`: a folder with `keys.json`, the list with the public keys and their times, and `KID.pem` for each private key (PKCS#8). `countersign keys signing` makes and changes it; do not edit it. Only the owner and the group may read the private keys; another mode is refused.',
    '## Key sets',
    '`authenticators.NAME.bearer.keys.file`: a JWK Set (RFC 7517 §5) with the public keys of the issuer.',
    '## Certificates and keys',
    'PEM. A file of a certificate may have its chain after it, in order; one of CAs has any number of certificates. Keys are PKCS#8, PKCS#1 or SEC1.',
    '## Secrets',
    '`file:PATH`: the contents of the file, without a line break at its end.',
  ],
})

/** The keys of an entry of the map that such a file holds. */
const entryTable = (schema: z.ZodType): string => {
  const [file] = objectsBelow('', schemaNode(schema))
  const [entry] = Object.values(file?.node.properties ?? {}).flatMap((node) =>
    objectsBelow('', node),
  )
  return table(
    ['key', 'type', 'default', 'meaning'],
    Object.entries(entry?.node.properties ?? {}).map(([key, node]) => [
      code(key),
      typeOf(node),
      defaultOf(node, entry?.node.required?.includes(key) === true),
      node.description ?? '',
    ]),
  )
}

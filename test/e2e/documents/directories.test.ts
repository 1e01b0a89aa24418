// The commands by which readers try a directory: at a real slapd and a real FreeRADIUS, with the authenticator of the page.

import { describe, it } from 'node:test'
import { parse } from 'yaml'
import { blocksOf, blocksTestedBy } from '../../docs/examples/blocks.ts'
import { siteWith } from '../../docs/examples/page-folder.ts'
import { runBlocks, startUpIn } from '../../docs/examples/page-run.ts'
import { CONFORMANCE_USERS } from '../../authenticate/password/conformance.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { skipWithoutFreeRadius, startFreeRadius } from '../../servers/freeradius.ts'
import { skipWithoutSlapd, startOpenLdap } from '../../servers/openldap.ts'
import { SERVICE } from '../../servers/openldap-data.ts'
import { readFile } from 'node:fs/promises'

const TEST = 'test/e2e/documents/directories.test.ts'

/** The configuration with the authenticator of a page, as if it were `staff`. */
const siteOf = async (page: string, authenticator: string): Promise<string> => {
  const block = blocksOf(page).find(({ text }) => text.startsWith(`${authenticator}:`))
  return await siteWith(parse(block?.text ?? '')[authenticator])
}

describe('a page of a directory', { skip: skipWithoutEnvoy() }, () => {
  it('has commands that succeed at OpenLDAP', { skip: skipWithoutSlapd() }, async () => {
    const page = 'docs/how-to/identity-providers/active-directory.md'
    await using ldap = await startOpenLdap()
    await runBlocks(blocksTestedBy(TEST, page), {
      before: startUpIn,
      differences: [
        ['ldaps://ldap.example.org', `ldaps://127.0.0.1:${ldap.tlsPort}`],
        ['cn=countersign,ou=services,dc=example,dc=org', SERVICE.dn],
        ['-u alice', `--user 'alice:${CONFORMANCE_USERS.alice.password}'`],
      ],
      files: {
        'countersign.yaml': await siteOf(page, 'staff-directory'),
        'ldap.password': `${SERVICE.password}\n`,
        'ldap-ca.pem': await readFile(ldap.authority.ca, 'utf8'),
      },
    })
  })

  it('has commands that succeed at FreeRADIUS', { skip: skipWithoutFreeRadius() }, async () => {
    const page = 'docs/how-to/identity-providers/freeradius.md'
    const reply = ['Class = "dev"']
    await using radius = await startFreeRadius([{ name: 'alice', password: 'wonderland', reply }])
    await runBlocks(blocksTestedBy(TEST, page), {
      before: startUpIn,
      differences: [
        ['radius.example.org', `127.0.0.1:${radius.port}`],
        ['a-secret-of-32-characters-or-more', radius.secret],
      ],
      files: {
        'countersign.yaml': await siteOf(page, 'radius'),
        'radius.secret': `${radius.secret}\n`,
      },
    })
  })
})

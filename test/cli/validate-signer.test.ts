// `countersign validate --signer`: the signer's configuration alone, and both together.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { cheapHash } from '../fakes/hashes.ts'
import { signerSite, type SignerSite } from '../fakes/signer-site.ts'
import { countersign, type Result } from './run.ts'

const CONFIG = `
version: 1
listen: { authz: unix:authz.sock }
authenticators: { staff: { basic: { verify: [{ users: { file: users.yaml } }] } } }
certificateGrants: { keyring: 'file:grant.keys' }
routes:
  - name: app
    authenticate: [staff]
    authorize: [{ allow: all }]
    forward: { certificate: { ca: kube, subject: { CN: identity.user }, lifetime: 1h } }
`

const validate = async (site: SignerSite, config: string | undefined): Promise<Result> => {
  if (config !== undefined) await writeFile(site.file('countersign.yaml'), config)
  const hash = await cheapHash('secret')
  await writeFile(site.file('users.yaml'), `users: { alice: { password: '${hash}' } }`)
  const authz = config === undefined ? [] : ['--config', site.file('countersign.yaml')]
  return await countersign(['validate', ...authz, '--signer', site.config])
}

describe('countersign validate --signer', { concurrency: true }, () => {
  it('accepts a valid configuration of the signer', async () => {
    await using site = await signerSite()
    const { status, stdout, stderr } = await validate(site, undefined)
    assert.deepEqual([status, stderr], [0, ''])
    assert.match(stdout, /^\S+\/signer\.yaml is valid: 1 CA, 4 files read\n$/)
  })

  it('accepts valid configurations of both', async () => {
    await using site = await signerSite()
    const { status, stdout, stderr } = await validate(site, CONFIG)
    assert.deepEqual([status, stderr], [0, ''])
    assert.match(stdout, /countersign\.yaml is valid: .*\n.*signer\.yaml is valid: /)
  })

  it('lists the problems of both', async () => {
    await using site = await signerSite()
    await writeFile(site.file('ca.key'), 'nonsense')
    const { status, stderr } = await validate(site, `${CONFIG}more: 1`)
    assert.equal(status, 1)
    assert.match(stderr, /countersign\.yaml:\d+:1: more: unknown key\n/)
    assert.match(stderr, /signer\.yaml:\d+:\d+: authorities\.kube\.key: .*\n2 problems found/)
  })

  const LIMITED = [
    {
      name: 'reports a CA that the signer does not have',
      config: CONFIG.replace('ca: kube', 'ca: other'),
      want: /countersign\.yaml: routes\[0\]\.forward\.certificate\.ca: the signer has no CA "other"\n1 problem/,
    },
    {
      name: 'reports a lifetime that the signer does not allow',
      config: CONFIG.replace('lifetime: 1h', 'lifetime: 24h'),
      want: /certificate\.lifetime: together with "backdate" it is longer/,
    },
  ]
  for (const { name, config, want } of LIMITED) {
    it(name, async () => {
      await using site = await signerSite()
      const { status, stderr } = await validate(site, config)
      assert.equal(status, 1)
      assert.match(stderr, want)
    })
  }
})

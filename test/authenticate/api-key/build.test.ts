// The `apiKey` section, built: the file is read and watched, and locations are admitted.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { hashOf, newApiKey } from '../../../src/authenticate/api-key/key.ts'
import { requestOf } from '../../fakes/envoy.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { buildFrom } from '../building.ts'

const FOREVER = new AbortController().signal

describe('an apiKey section', () => {
  it('becomes an authenticator of the keys in its file, which is watched', async () => {
    await using folder = await temporaryFolder()
    const key = newApiKey('ci')
    await writeFile(folder.file('keys.yaml'), `keys: { ci: { hash: '${hashOf(key)}', user: bot } }`)
    await using built = await buildFrom(
      folder.file('countersign.yaml'),
      '{ apiKey: { file: keys.yaml, locations: [{ query: key }, { header: Authorization, scheme: Token }] } }',
    )
    assert.deepEqual([built.problems, built.files], [[], [folder.file('keys.yaml')]])
    const { locations } = built.link?.authenticator ?? {}
    assert.deepEqual(locations, [
      { kind: 'query', name: 'key' },
      { kind: 'header', name: 'authorization' },
    ])
    const request = requestOf({ path: `/?key=${key}` })
    const authentication = await built.link?.authenticator.authenticate(request, FOREVER)
    assert.ok(authentication?.outcome === 'authenticated')
    assert.equal(authentication.credential.user, 'bot')
  })

  it('is refused with every problem at once: locations that cannot be, and keys that are none', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.file('keys.yaml'), 'keys: { a: { user: bot } }')
    await using built = await buildFrom(
      folder.file('countersign.yaml'),
      '{ apiKey: { file: keys.yaml, locations: [{ header: Host }, { header: x-api-key }, { header: X-Remote-User }] } }',
    )
    assert.equal(built.problems.length, 3)
    assert.match(built.problems[0] ?? '', /^"host" is needed for something else/)
    assert.match(built.problems[1] ?? '', /^"x-remote-user" is a header that Countersign sets/)
    assert.match(built.problems[2] ?? '', /required, but missing/)
  })

  it('is refused where its file is not there', async () => {
    await using folder = await temporaryFolder()
    await using built = await buildFrom(
      folder.file('countersign.yaml'),
      '{ apiKey: { file: keys.yaml } }',
    )
    assert.equal(built.link, undefined)
    assert.match(built.problems.join(), /keys\.yaml does not exist/)
  })
})

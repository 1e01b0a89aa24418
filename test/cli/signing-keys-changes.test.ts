// `countersign keys signing rotate` and `revoke`: what they change, and that authz takes what they leave.

import assert from 'node:assert/strict'
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { newSigningKey } from '../../src/keys/new-signing-key.ts'
import { formatSigningKeys } from '../../src/keys/signing-keys.ts'
import { signingKeyFile } from '../../src/keys/signing-key-folder.ts'
import { DAY, HOUR, modeOf, noKeys, someKeys } from './signing-keys-folder.ts'

describe('countersign keys signing rotate', { concurrency: true }, () => {
  it('publishes the next key an hour before it signs', async () => {
    await using keys = await someKeys('ES256', 'EdDSA')
    const before = Date.now()
    const { stderr } = await keys.must('rotate')
    assert.equal(stderr.match(/ is published, and signs from \d{4}-/g)?.length, 2)
    assert.deepEqual(await keys.states(), [
      'ES256 signing',
      'EdDSA signing',
      'ES256 next',
      'EdDSA next',
    ])
    const [, , next] = await keys.entries()
    const overlap = Date.parse(next?.signsFrom ?? '') - before
    assert.ok(overlap >= HOUR && overlap < HOUR + 60_000, String(overlap))
    assert.equal((await keys.read()).privateKeys.size, 4)
  })

  it('creates no further key while one waits, so that cron may run it often', async () => {
    await using keys = await someKeys('ES256')
    await keys.must('rotate', '--overlap', '12h')
    const kids = await keys.kids()
    const list = await readFile(keys.file('keys.json'), 'utf8')
    assert.match((await keys.must('rotate')).stderr, /keys: nothing to do\n$/)
    assert.deepEqual(await keys.kids(), kids)
    assert.equal(await readFile(keys.file('keys.json'), 'utf8'), list)
    await keys.age(13 * HOUR)
    await keys.must('rotate')
    assert.deepEqual(await keys.states(), ['ES256 retired', 'ES256 signing', 'ES256 next'])
  })

  it('rotates one algorithm only with --algorithm', async () => {
    await using keys = await someKeys('ES256', 'EdDSA')
    await keys.must('rotate', '--algorithm', 'EdDSA')
    assert.deepEqual(await keys.states(), ['ES256 signing', 'EdDSA signing', 'EdDSA next'])
  })

  it('makes the next key, waiting or new, sign at once with --overlap 0', async () => {
    await using keys = await someKeys('ES256')
    await keys.must('rotate')
    assert.match((await keys.must('rotate', '--now')).stderr, /keys: ES256 \S+ signs at once\n$/)
    assert.deepEqual(await keys.states(), ['ES256 retired', 'ES256 signing'])
    await keys.must('rotate', '--now')
    assert.deepEqual(await keys.states(), ['ES256 retired', 'ES256 retired', 'ES256 signing'])
  })

  it('removes private keys that no longer sign, and keys without valid tokens', async () => {
    await using keys = await someKeys('ES256')
    await keys.must('rotate', '--now')
    assert.equal((await keys.privateKids()).length, 2) // for a replica whose clock is behind
    await keys.age(HOUR)
    const [old, young] = await keys.kids()
    await writeFile(keys.file(`${'y'.repeat(43)}.pem`), 'stray')
    const { stderr } = await keys.must('rotate')
    assert.ok(stderr.includes(`the private key of ${old} is removed\n`))
    assert.deepEqual((await keys.privateKids())[0], young)
    assert.deepEqual((await readdir(keys.path)).length, 3)
    await keys.age(2 * DAY)
    assert.match(
      (await keys.must('rotate')).stderr,
      new RegExp(`ES256 ${old} was removed from keys\\.json`),
    )
    assert.deepEqual(await keys.states(), ['ES256 signing', 'ES256 next'])
    await keys.read()
  })

  it('keeps other files of the folder', async () => {
    await using keys = await someKeys('ES256')
    for (const name of ['README', 'tls.pem', '.lockfile', 'grant.keys']) {
      await writeFile(keys.file(name), name)
    }
    await keys.must('prune')
    assert.equal((await readdir(keys.path)).length, 6)
  })

  it('keeps the mode of the list', async () => {
    await using keys = await someKeys('ES256')
    await chmod(keys.file('keys.json'), 0o600)
    await keys.must('rotate')
    assert.equal(await modeOf(keys.file('keys.json')), 0o600)
  })

  it('does not copy the mode of a key that other users can read', async () => {
    await using keys = await someKeys('ES256')
    const [kid = ''] = await keys.kids()
    await chmod(keys.file(`${kid}.pem`), 0o666)
    const { status, stderr } = await keys.run('rotate')
    assert.equal(status, 1) // done, and authz would not take it
    assert.match(stderr, /is published, and signs from[^]*has mode 0666/)
    const next = (await keys.kids()).at(-1) ?? ''
    assert.equal(await modeOf(keys.file(`${next}.pem`)), 0o640)
  })

  it('limits the number of published keys', async () => {
    await using keys = await someKeys('EdDSA')
    const [entry] = await keys.entries()
    assert.ok(entry !== undefined)
    const more = await Promise.all(Array.from({ length: 99 }, () => newSigningKey('EdDSA')))
    const old = more.map(({ kid, algorithm, jwk }) => ({ ...entry, kid, algorithm, jwk }))
    const text = formatSigningKeys({ version: 1, keys: [...old, entry] })
    await writeFile(keys.file('keys.json'), text)
    const { status, stderr } = await keys.run('rotate', '--now')
    assert.equal(status, 1)
    assert.match(stderr, /publishes 100 keys: rotate less often/)
    assert.equal(await readFile(keys.file('keys.json'), 'utf8'), text)
  })
})

describe('countersign keys signing revoke', { concurrency: true }, () => {
  it('revokes the key that signs: the next signs at once', async () => {
    await using keys = await someKeys('ES256')
    await keys.must('rotate')
    const [signing = '', next = ''] = await keys.kids()
    const { stderr } = await keys.must('revoke', signing)
    assert.match(stderr, new RegExp(`ES256 ${signing} is revoked`))
    assert.match(stderr, new RegExp(`ES256 ${next} signs at once`))
    assert.match(stderr, new RegExp(`the private key of ${signing} is removed`))
    assert.deepEqual(await keys.states(), ['ES256 revoked', 'ES256 signing'])
    assert.deepEqual(await keys.privateKids(), [next])
    await keys.read()
  })

  it('revokes the only key: a new one signs at once; by the first characters of its kid', async () => {
    await using keys = await someKeys('ES256', 'EdDSA')
    const [signing = ''] = await keys.kids()
    await keys.must('revoke', signing.slice(0, 8))
    assert.deepEqual(await keys.states(), ['ES256 revoked', 'EdDSA signing', 'ES256 signing'])
    await keys.read()
  })

  it('revokes the next key, and a retired one: another signs as before', async () => {
    await using keys = await someKeys('ES256')
    await keys.must('rotate', '--now')
    await keys.must('rotate')
    const [retired = '', , next = ''] = await keys.kids()
    await keys.must('revoke', next)
    await keys.must('revoke', retired)
    assert.deepEqual(await keys.states(), ['ES256 revoked', 'ES256 signing', 'ES256 revoked'])
    assert.equal((await keys.privateKids()).length, 1)
    assert.match((await keys.must('revoke', retired)).stderr, /: nothing to do\n$/)
    await keys.read()
  })

  it('keeps the group of the revoked key for the new one', async () => {
    await using keys = await noKeys()
    await keys.must('create', '--mode', '0440')
    const [kid = ''] = await keys.kids()
    await keys.must('revoke', kid)
    assert.equal(await modeOf(keys.file(`${(await keys.kids())[1]}.pem`)), 0o440)
  })
})

describe('the private keys of countersign keys signing', { concurrency: true }, () => {
  it('are not in the output of any command', async () => {
    await using keys = await someKeys('ES256', 'EdDSA')
    const said = await Promise.all([
      keys.run('show'),
      keys.run('show', '--json'),
      keys.run('rotate'),
    ])
    const text = said.map(({ stdout, stderr }) => stdout + stderr).join('')
    for (const kid of await keys.privateKids()) {
      const pem = await readFile(signingKeyFile(keys.path, kid), 'utf8')
      for (const line of pem.split('\n')) assert.ok(line.length < 8 || !text.includes(line))
    }
  })
})

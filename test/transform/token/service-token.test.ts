// One token for every caller, from a file that another program replaces, or from the environment.

import assert from 'node:assert/strict'
import { rm, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { changingSecret } from '../../../src/config/changing-secret.ts'
import { serviceToken } from '../../../src/transform/token/service-token.ts'
import type { Transformation } from '../../../src/transform/transformer.ts'
import { claimsOf, makeKey } from '../../authenticate/bearer/issuing.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { identityOf } from '../../fakes/identity.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { permitOf, wordOf } from './asking-for-tokens.ts'

const FOREVER = new AbortController().signal

const give = async (read: () => Promise<string>): Promise<Transformation> =>
  await serviceToken({ name: 'own.token', read }).transform(permitOf(identityOf()), FOREVER)

describe('the token of a service from a file', () => {
  interface Case {
    readonly name: string
    readonly text: string
    readonly want: string
  }
  const NONE = 'unavailable: own.token does not hold exactly one token'
  const CASES: readonly Case[] = [
    { name: 'with a token', text: 'abc-._~+/123==', want: 'Bearer abc-._~+/123==' },
    { name: 'that is empty', text: '', want: NONE },
    { name: 'hostile: of two lines', text: 'a\nb', want: NONE },
    { name: 'hostile: with a line after the token', text: 'a\r\nx-remote-user: root', want: NONE },
    { name: 'hostile: with two tokens', text: 'a b', want: NONE },
    { name: 'hostile: with two tokens and a comma', text: 'a,b', want: NONE },
    { name: 'hostile: with a scheme before the token', text: 'Bearer a', want: NONE },
    { name: 'hostile: that is too long', text: 'x'.repeat(20_000), want: NONE },
  ]
  for (const { name, text, want } of CASES) {
    it(`is its text, or unavailable: a file ${name}`, async () => {
      assert.equal(wordOf(await give(() => Promise.resolve(text))), want)
    })
  }

  it('has its jti for audit', async () => {
    const key = await makeKey()
    const token = await key.token(claimsOf({ jti: 'account-7' }))
    const transformation = await give(() => Promise.resolve(token))
    assert.equal(transformation.outcome, 'transformed')
    assert.deepEqual(transformation.forwarding.tokenIds, ['account-7'])
  })

  it('is read again when the file changes, and stays in use while it is unreadable', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('own.token')
    const clock = new FakeClock()
    await writeFile(path, 'first\n')
    const { read } = await changingSecret({ kind: 'file', path }, clock)
    const transformer = serviceToken({ name: path, read })
    const next = async (): Promise<string> => {
      clock.advance(10_000)
      return wordOf(await transformer.transform(permitOf(identityOf()), FOREVER))
    }
    assert.equal(await next(), 'Bearer first')
    await writeFile(path, 'second\n')
    assert.equal(await next(), 'Bearer second')
    await rm(path)
    assert.equal(await next(), 'Bearer second')
    await writeFile(path, 'half of\n')
    assert.equal(await next(), `unavailable: ${path} does not hold exactly one token`)
    await writeFile(path, 'third')
    assert.equal(await next(), 'Bearer third')
  })

  it('needs no request, so that policy tests can use it', () => {
    const { kind, asks } = serviceToken({ name: 'x', read: () => Promise.resolve('x') })
    assert.deepEqual([kind, asks], ['service-token', undefined])
  })
})

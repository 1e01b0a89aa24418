// Unsupported curl command lines: the error names the option, and no option is ignored silently.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readCurl } from '../../../src/cli/explain/curl.ts'
import { CountersignError } from '../../../src/runtime/errors.ts'

const U = 'http://app.example.org'

const REFUSED: readonly { name: string; args: readonly string[]; want: RegExp }[] = [
  { name: 'an unknown option', args: ['--digest', U], want: /"--digest"/ },
  { name: 'an unknown short option', args: ['-sQ', U], want: /"-Q"/ },
  { name: 'an unknown option negated', args: ['--no-digest', U], want: /"--no-digest"/ },
  { name: 'an option with a value negated', args: ['--no-header', U], want: /"--no-header"/ },
  { name: 'a configuration file', args: ['-K', 'f', U], want: /"-K"/ },
  { name: 'several requests', args: [U, '--next', U], want: /"--next"/ },
  { name: 'data as a query (--get)', args: ['-G', '-d', 'a=b', U], want: /"-G"/ },
  { name: 'an upload', args: ['-T', 'f.txt', U], want: /"-T"/ },
  { name: 'a missing value', args: [U, '-H'], want: /"-H" needs a value/ },
  { name: 'a missing URL', args: ['-s'], want: /no URL/ },
  { name: 'two URLs', args: [U, U], want: /several URLs/ },
  { name: 'patterns', args: [`${U}/{a,b}`], want: /braces/ },
  { name: 'a pattern in brackets', args: [`${U}/[1-3]`], want: /brackets/ },
  { name: 'a space', args: [`${U}/a b`], want: /space/ },
  { name: 'another scheme', args: ['ftp://x/'], want: /"ftp:"/ },
  { name: 'a user without a password', args: ['-u', 'alice', U], want: /password/ },
  { name: 'headers in a file', args: ['-H', '@f', U], want: /@FILE/ },
  { name: 'a header without a colon', args: ['-H', 'nocolon', U], want: /no colon/ },
  { name: 'cookies in a file', args: ['-b', 'jar.txt', U], want: /-b FILE/ },
]

describe('a curl command line', () => {
  for (const { name, args, want } of REFUSED) {
    it(`is refused with ${name}`, () => {
      assert.throws(
        () => readCurl(['curl', ...args]),
        (cause) => cause instanceof CountersignError && want.test(cause.message),
      )
    })
  }

  it('is refused unless it begins with curl', () => {
    assert.throws(() => readCurl(['wget', U]), /a curl command line/)
    assert.equal(readCurl(['/usr/bin/curl', U]).method, 'GET')
  })

  it('is refused without its secrets in the message', () => {
    for (const secret of ['-ualice:hunter2', '--user=alice:hunter2']) {
      assert.throws(
        () => readCurl(['curl', secret, '--bogus', U]),
        (cause) => cause instanceof Error && !cause.message.includes('hunter2'),
      )
    }
  })
})

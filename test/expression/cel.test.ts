// Expressions about an identity: what they yield, and which ones stop the start. That they see
// nothing else, and how large they may be, is in cel-bounds.test.ts.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compileText } from '../../src/expression/cel.ts'
import { type IdentityVariables, ALICE, compiled, messageOf } from './compiling.ts'

const WITH_UID: IdentityVariables = { ...ALICE, uid: '42' }

describe('an expression yields', () => {
  const CASES: readonly {
    readonly input: string
    readonly identity?: IdentityVariables
    readonly want: readonly string[]
  }[] = [
    { input: 'identity.user', want: ['alice'] },
    { input: 'identity.uid', identity: WITH_UID, want: ['42'] },
    { input: 'identity.method + "/" + identity.authenticator', want: ['basic/staff'] },
    { input: 'identity.groups', want: ['ops', 'dev', 'team-a'] },
    { input: 'identity.groups[1]', want: ['dev'] },
    { input: 'identity.groups.map(g, "oidc:" + g)', want: ['oidc:ops', 'oidc:dev', 'oidc:team-a'] },
    { input: 'identity.groups.filter(g, g.startsWith("team-"))', want: ['team-a'] },
    { input: 'identity.groups.filter(g, false)', want: [] },
    { input: 'identity.groups + ["all"]', want: ['ops', 'dev', 'team-a', 'all'] },
    { input: '["a"] + identity.groups.filter(g, g == "dev")', want: ['a', 'dev'] },
    { input: 'identity.groups.exists(g, g == "dev") ? "yes" : "no"', want: ['yes'] },
    { input: 'identity.extra["team"]', want: ['blue', 'red'] },
    { input: 'identity.extra.team[0]', want: ['blue'] },
    { input: 'identity.extra["acme.com/x"]', want: ['y'] },
    { input: 'identity.extra["none"]', want: [] },
    { input: 'identity.extra[?"missing"].orValue(["d"])', want: ['d'] },
    { input: '"team" in identity.extra ? identity.extra["team"] : []', want: ['blue', 'red'] },
    { input: 'has(identity.uid) ? [identity.uid] : []', want: [] },
    { input: 'has(identity.uid) ? [identity.uid] : []', identity: WITH_UID, want: ['42'] },
    { input: 'identity.?uid.orValue("none")', want: ['none'] },
    { input: 'identity.user.matches("^a.*e$") ? "y" : "n"', want: ['y'] },
    { input: 'identity.user.split("l")', want: ['a', 'ice'] },
    { input: 'string(size(identity.groups))', want: ['3'] },
    { input: '"constant"', want: ['constant'] },
    { input: '"ü\\n😀\\u0041"', want: ['ü\n😀A'] },
    { input: '""', want: [''] },
    { input: '[]', want: [] },
    { input: 'identity.user // and a comment', want: ['alice'] },
  ]
  for (const { input, identity = ALICE, want } of CASES) {
    it(`${JSON.stringify(want)} for ${input}`, () => {
      assert.deepEqual(compiled(input).evaluate(identity), want)
    })
  }

  it('the same each time, and another value for another identity', () => {
    const expression = compiled('identity.user')
    assert.deepEqual(expression.evaluate(ALICE), ['alice'])
    assert.deepEqual(expression.evaluate({ ...ALICE, user: 'bob' }), ['bob'])
    assert.deepEqual(expression.evaluate(ALICE), ['alice'])
  })

  it('the source in the configuration, for messages', () => {
    assert.equal(compiled(' identity.user ').source, ' identity.user ')
  })

  it('one value for each group', () => {
    const groups = Array.from({ length: 3_000 }, (_, index) => `g${index}`)
    assert.deepEqual(compiled('identity.groups.map(g, g)').evaluate({ ...ALICE, groups }), groups)
  })
})

describe('an expression of another type', () => {
  const CASES = [
    { input: '1', type: 'int' },
    { input: '1.5', type: 'double' },
    { input: 'true', type: 'bool' },
    { input: 'null', type: 'null' },
    { input: 'b"abc"', type: 'bytes' },
    { input: 'size(identity.user)', type: 'int' },
    { input: 'identity.user == "alice"', type: 'bool' },
    { input: 'identity', type: '.identity' },
    { input: 'identity.extra', type: 'map<string, list<string>>' },
    { input: '{"a": "b"}', type: 'map<string, string>' },
    { input: '[1, 2]', type: 'list<int>' },
    { input: '[["a"]]', type: 'list<list<string>>' },
    { input: 'identity.?uid', type: 'optional<string>' },
    { input: 'duration("1h")', type: 'google.protobuf.Duration' },
    { input: 'timestamp("2026-01-01T00:00:00Z")', type: 'google.protobuf.Timestamp' },
    { input: 'type(identity.user)', type: 'type' },
    // `dyn` could turn out to be anything during a request.
    { input: 'dyn("a")', type: 'dyn' },
    { input: 'identity.user == "alice" ? identity.user : dyn(5)', type: 'dyn' },
  ]
  for (const { input, type } of CASES) {
    it(`prevents the start: ${input}`, () => {
      assert.match(messageOf(input), /^yields .*, where string or list<string> belongs$/)
      assert.ok(messageOf(input).includes(type.replace('.identity', 'identity')))
    })
  }
})

describe('an invalid expression', () => {
  const CASES = [
    { name: 'an empty expression', input: '', want: /^Unexpected token: EOF \(at character 1\)$/ },
    { name: 'a comment only', input: '// identity.user', want: /EOF \(at character 17\)$/ },
    {
      name: 'an operator without its right side',
      input: 'identity.user +',
      want: /\(at character 16\)$/,
    },
    { name: 'a dot without a field', input: 'identity.user.', want: /\(at character 15\)$/ },
    { name: 'an unclosed string', input: '"abc', want: /^Unterminated string \(at character 1\)$/ },
    { name: 'an unclosed bracket', input: 'identity.groups[0', want: /\(at character 18\)$/ },
    { name: 'two expressions', input: 'identity.user identity.user', want: /\(at character 15\)$/ },
    {
      name: 'an unknown field',
      input: '"x" + identity.name',
      want: /^No such key: name \(at character 16\)$/,
    },
    {
      name: 'an unknown variable',
      input: 'user',
      want: /^Unknown variable: user \(at character 1\)$/,
    },
    {
      name: 'a claim in an expression without claims',
      input: '"oidc:" + claims.email',
      want: /^Unknown variable: claims \(at character 11\)$/,
    },
    {
      name: 'an unknown function',
      input: 'identity.user.upper()',
      want: /^found no matching overload/,
    },
    {
      name: 'a sum of a string and a number',
      input: '"a" + 1',
      want: /^no such overload: string \+ int \(at character 1\)$/,
    },
    { name: 'branches of two types', input: 'true ? "a" : ["b"]', want: /must have the same type/ },
    {
      name: 'a list of two types',
      input: '["a", 1]',
      want: /must have the same type.*\(at character 7\)$/,
    },
    {
      name: 'a comparison of two types',
      input: 'identity.groups == "a" ? "b" : "c"',
      want: /no such overload/,
    },
    { name: 'a string by index', input: 'identity.user[0]', want: /^Cannot index type 'string'/ },
    {
      name: 'a malformed regular expression',
      input: 'identity.groups.exists(g, g.matches("a(")) ? "a" : "b"',
      want: /^the regular expression cannot be used: missing closing \): `a\(` \(at character 37\)$/,
    },
    {
      name: 'a back-reference, which RE2 lacks',
      input: "identity.user.find('(a)\\\\1')",
      want: /^the regular expression cannot be used: invalid escape sequence: `\\1` \(at character 20\)$/,
    },
    {
      name: 'a replaced function with an argument of the wrong type',
      input: '"a".matches(1) ? "a" : "b"',
      want: /^found no matching overload for 'string\.matches\(int\)' \(at character 1\)$/,
    },
    {
      name: 'an error on the second line',
      input: 'true\n ? identity.nme : "b"',
      want: /^No such key: nme \(at line 2, character 13\)$/,
    },
    { name: 'a surrogate', input: '"\\ud800"', want: /^Invalid Unicode surrogate/ },
    {
      name: 'a template of another language',
      input: '${identity.user}',
      want: /\(at character 1\)$/,
    },
  ]
  for (const { name, input, want } of CASES) {
    it(`prevents the start, with its position: ${name}`, () => {
      const message = messageOf(input)
      assert.match(message, want)
      assert.doesNotMatch(message, /\n/)
    })
  }
})

describe('an expression without a value for an identity', () => {
  const CASES = [
    { name: 'a missing uid', input: 'identity.uid' },
    { name: 'a missing uid, in a comparison', input: 'identity.uid == "" ? "a" : "b"' },
    { name: 'a missing attribute', input: 'identity.extra["missing"]' },
    { name: 'a value of an attribute without values', input: 'identity.extra["none"][0]' },
    { name: 'a group beyond the last', input: 'identity.groups[9]' },
    { name: 'a group before the first', input: 'identity.groups[-1]' },
    { name: 'a division by zero', input: 'string(size(identity.groups) / 0)' },
    {
      name: 'a malformed regular expression that is computed',
      input: 'identity.user.matches("(" + identity.user) ? "a" : "b"',
    },
    { name: 'a malformed number', input: 'string(int(identity.user))' },
  ]
  for (const { name, input } of CASES) {
    it(`yields no value: ${name}`, () => {
      assert.equal(compiled(input).evaluate(ALICE), undefined)
    })
  }

  it('is not evaluated where a condition excludes it', () => {
    const expression = compiled('has(identity.uid) && identity.uid == "42" ? "a" : "b"')
    assert.deepEqual(expression.evaluate(ALICE), ['b'])
  })

  it('yields no value for an identity of another shape', () => {
    // No authenticator makes these; a bug might.
    const cases: readonly { source: string; broken: object }[] = [
      { source: 'identity.user', broken: { user: 5 } },
      { source: 'identity.user', broken: { user: undefined } },
      { source: 'identity.groups', broken: { groups: 'admin' } },
      { source: 'identity.groups', broken: { groups: ['a', 1] } },
      { source: 'identity.groups', broken: { groups: [['a']] } },
      { source: 'identity.extra["a"]', broken: { extra: { a: 'b' } } },
    ]
    for (const { source, broken } of cases) {
      assert.equal(compiled(source).evaluate({ ...ALICE, ...broken }), undefined, source)
    }
  })
})

describe('the error of an expression without a value', () => {
  const SECRET = 'hunter2'
  const CASES = [
    { input: 'claims.missing', want: 'no_such_key (at character 8)' },
    { input: 'claims.user[0]', want: 'no_such_key (at character 1)' },
    { input: 'claims[claims.user]', want: 'no_such_key (at character 1)' },
    { input: 'claims.number', want: 'yields a number, where string or list<string> belongs' },
    { input: 'claims.object', want: 'yields an object, where string or list<string> belongs' },
    { input: 'claims.yes', want: 'yields true or false, where string or list<string> belongs' },
    { input: 'claims.nothing', want: 'yields null, where string or list<string> belongs' },
    {
      input: 'claims.mixed',
      want: 'yields a list with a number in it, where string or list<string> belongs',
    },
    { input: 'bool(claims.user) ? "a" : "b"', want: 'bool_conversion_error (at character 1)' },
    {
      input: 'claims.user.matches("(" + claims.user) ? "a" : "b"',
      want: 'regular_expression (at character 1)',
    },
    { input: '"a" +\n claims.missing', want: 'no_such_key (at line 2, character 9)' },
  ]
  const claims = {
    user: SECRET,
    number: 5,
    yes: true,
    nothing: null,
    object: { toString: SECRET },
    mixed: ['a', 5],
  }
  for (const { input, want } of CASES) {
    it(`does not contain the claims: ${JSON.stringify(input)}`, () => {
      const compilation = compileText(input, 'claims')
      assert.ok(compilation.ok, compilation.ok ? '' : compilation.message)
      const { expression } = compilation
      assert.equal(expression.evaluate({ claims }), undefined)
      assert.equal(expression.explain({ claims }), want)
      assert.ok(!expression.explain({ claims }).includes(SECRET))
    })
  }
})

// The functions that expressions have of us, and the ones of the library that mappings live on.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compileText } from '../../src/expression/cel.ts'

const CLAIMS = {
  sub: 'abc-123',
  email: 'Alice@Example.ORG',
  upn: 'alice@corp.example',
  name: 'a.b.a',
  kelvin: '\u212aATE',
  sharp: 'ß',
  dollar: '$&$1',
  emoji: '😀x',
  groups: ['dev', 'ops'],
  scope: 'read write',
  one: 'solo',
  nothing: null,
  level: 3,
  'https://example.org/groups': ['a', 'b'],
  'cognito:groups': ['c'],
  realm_access: { roles: ['admin'] },
  resource_access: { 'my.client': { roles: ['edit'] } },
}

const valueOf = (source: string): readonly string[] | undefined => {
  const compilation = compileText(source, 'claims')
  assert.ok(compilation.ok, compilation.ok ? '' : compilation.message)
  return compilation.expression.evaluate({ claims: CLAIMS })
}

interface Case {
  readonly input: string
  /** `undefined`: it yields nothing, which is a refusal. */
  readonly want: readonly string[] | undefined
}

const check = (cases: readonly Case[]): void => {
  for (const { input, want } of cases) {
    it(`${JSON.stringify(want)} for ${input}`, () => assert.deepEqual(valueOf(input), want))
  }
}

describe('mappings of other products, as expressions', () => {
  check([
    { input: '"oidc:" + claims.sub', want: ['oidc:abc-123'] },
    { input: 'claims["https://example.org/groups"]', want: ['a', 'b'] },
    { input: 'claims["cognito:groups"]', want: ['c'] },
    { input: 'claims.realm_access.roles', want: ['admin'] },
    { input: 'claims.resource_access["my.client"].roles', want: ['edit'] },
    { input: 'claims.?groups.orValue([])', want: ['dev', 'ops'] },
    { input: 'claims.?missing.orValue([])', want: [] },
    { input: 'claims.?missing.?roles.orValue([])', want: [] },
    { input: 'claims.?resource_access[?"other"].?roles.orValue([])', want: [] },
    { input: 'claims.?nothing.orValue([])', want: undefined },
    { input: 'claims.one', want: ['solo'] },
    { input: 'type(claims.one) == list ? claims.one : [claims.one]', want: ['solo'] },
    { input: 'claims.scope.split(" ")', want: ['read', 'write'] },
    {
      input: 'type(claims.scope) == string ? claims.scope.split(" ") : claims.scope',
      want: ['read', 'write'],
    },
    { input: 'claims.groups.map(g, "oidc:" + g)', want: ['oidc:dev', 'oidc:ops'] },
    { input: 'claims.groups.filter(g, g.startsWith("d"))', want: ['dev'] },
    { input: 'claims.realm_access.roles + claims.groups', want: ['admin', 'dev', 'ops'] },
    { input: 'claims.email.lowerAscii()', want: ['alice@example.org'] },
    { input: 'claims.upn.split("@")[0]', want: ['alice'] },
    { input: 'claims.upn.substring(0, claims.upn.indexOf("@"))', want: ['alice'] },
    { input: 'has(claims.preferred) ? claims.preferred : claims.sub', want: ['abc-123'] },
    { input: '"dev" in claims.groups ? ["developers"] : []', want: ['developers'] },
    { input: 'claims.groups.join(",")', want: ['dev,ops'] },
    { input: 'string(claims.level)', want: ['3'] },
    { input: 'claims.level', want: undefined },
    { input: 'claims.realm_access', want: undefined },
    { input: '"x" + claims.level', want: undefined },
    { input: '"x" + claims.realm_access', want: undefined },
    { input: 'claims.groups.map(g, claims.realm_access)', want: undefined },
  ])
})

describe('the functions matches, find and regex.extract', () => {
  check([
    { input: 'claims.sub.matches("^[a-z]+-\\\\d+$") ? "y" : "n"', want: ['y'] },
    { input: 'claims.sub.matches(r"\\Aabc") ? "y" : "n"', want: ['y'] },
    { input: 'claims.sub.find("[0-9]+")', want: ['123'] },
    { input: 'claims.sub.find("x")', want: [''] },
    { input: 'regex.extract(claims.upn, "^([^@]+)@").orValue("none")', want: ['alice'] },
    { input: 'regex.extract(claims.upn, "^[^@]+").value()', want: ['alice'] },
    { input: 'regex.extract(claims.upn, "^(x)").orValue("none")', want: ['none'] },
    { input: 'regex.extract(claims.upn, "^(x)").value()', want: undefined },
    { input: 'regex.extract(claims.upn, "(a)(l)").value()', want: undefined },
    { input: 'claims.groups.filter(g, g.matches("^o"))', want: ['ops'] },
    { input: 'claims.level.find("3")', want: undefined },
  ])
})

describe('case folding', () => {
  check([
    { input: 'claims.email.upperAscii()', want: ['ALICE@EXAMPLE.ORG'] },
    // With all of Unicode they would be `kate` and `SS`: two users, one name.
    { input: 'claims.kelvin.lowerAscii()', want: ['\u212aate'] },
    { input: 'claims.sharp.upperAscii()', want: ['ß'] },
    { input: '"\\u0130".lowerAscii()', want: ['\u0130'] },
  ])
})

describe('the string functions of cel-go', () => {
  check([
    { input: 'claims.name.replace(".", "-")', want: ['a-b-a'] },
    { input: 'claims.name.replace("a", "x", 1)', want: ['x.b.a'] },
    { input: 'claims.name.replace("a", "x", -1)', want: ['x.b.x'] },
    { input: 'claims.name.replace("a", "x", 0)', want: ['a.b.a'] },
    { input: 'claims.name.replace("b", claims.dollar)', want: ['a.$&$1.a'] },
    { input: '"ab".replace("", "-")', want: ['-a-b-'] },
    { input: 'claims.name.charAt(2)', want: ['b'] },
    { input: 'claims.name.charAt(5)', want: [''] },
    { input: 'claims.name.charAt(6)', want: undefined },
    { input: 'claims.name.charAt(-1)', want: undefined },
    { input: 'claims.emoji.reverse()', want: ['x😀'] },
    { input: '" a ".trim()', want: ['a'] },
    { input: 'claims.name.lastIndexOf("a") == 4 ? "y" : "n"', want: ['y'] },
    { input: 'claims.name.endsWith("a") && claims.name.contains("b") ? "y" : "n"', want: ['y'] },
    { input: '"a b c".split(" ", 2)', want: ['a', 'b c'] },
  ])

  it('are limited in the length of their result', () => {
    const claims = { long: 'a'.repeat(60_000) }
    const compilation = compileText('claims.long.replace("a", claims.long)', 'claims')
    assert.ok(compilation.ok)
    assert.equal(compilation.expression.evaluate({ claims }), undefined)
    assert.match(compilation.expression.explain({ claims }), /^text_too_long/)
  })
})

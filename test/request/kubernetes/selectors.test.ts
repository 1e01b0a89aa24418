// Field and label selectors, as apimachinery parses them.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isLabelSelector, nameRequiredBy } from '../../../src/request/kubernetes/selectors.ts'

describe('the name that a field selector requires', () => {
  const NAMES: readonly { name: string; input: string; want: string | undefined }[] = [
    { name: 'nothing', input: '', want: '' },
    { name: 'one', input: 'metadata.name=x', want: 'x' },
    { name: 'one, with two signs', input: 'metadata.name==x', want: 'x' },
    { name: 'one requirement of several', input: 'a!=b,metadata.name=x,c=d,', want: 'x' },
    { name: 'the same twice', input: 'metadata.name=x,metadata.name==x', want: 'x' },
    { name: 'any but one', input: 'metadata.name!=x', want: '' },
    { name: 'an empty one', input: 'metadata.name=', want: '' },
    { name: 'another field', input: 'metadata.namespace=x,spec.metadata.name=y', want: '' },
    { name: 'a field in another case', input: 'Metadata.name=x', want: '' },
    { name: 'a field with a blank', input: 'metadata.name =x', want: '' },
    { name: 'a value with a blank', input: 'metadata.name= x', want: ' x' },
    { name: 'an escaped comma', input: 'metadata.name=a\\,b', want: 'a,b' },
    { name: 'an escaped equals sign', input: 'metadata.name=a\\=b', want: 'a=b' },
    { name: 'an escaped backslash', input: 'metadata.name=a\\\\,b=c', want: 'a\\' },
    { name: 'an escape in a field, which is none', input: 'a\\,metadata.name=x', want: '' },
    { name: 'an exclamation mark in a field', input: 'a!b=c,metadata.name=x', want: 'x' },
    { name: 'a value that cannot be a path segment', input: 'metadata.name=a/b', want: '' },
    { name: 'a per cent sign', input: 'metadata.name=a%b', want: '' },
    { name: 'dots', input: 'metadata.name=..', want: '' },
    { name: 'no sign', input: 'metadata.name=x,y', want: '' },
    { name: 'three signs', input: 'metadata.name===x', want: '' },
    { name: 'an exclamation mark and two signs', input: 'metadata.name=x,a!==b', want: '' },
    { name: 'an escape of another character', input: 'metadata.name=\\x', want: '' },
    { name: 'an escape of nothing', input: 'metadata.name=x\\', want: '' },
    { name: 'hostile: two names', input: 'metadata.name=x,metadata.name=y', want: undefined },
    { name: 'hostile: a name and none', input: 'metadata.name=x,metadata.name=', want: undefined },
  ]
  for (const { name, input, want } of NAMES) {
    it(`is read from a field selector as ${name}: ${input}`, () => {
      assert.equal(nameRequiredBy(input), want)
    })
  }
})

describe('what is surely a label selector', () => {
  const list = (text: string): readonly string[] => text.split('|')
  const long = 'a'.repeat(63)
  const YES = [
    ...list('|  |a|!a|! a|a=b|a==b|a!=b| a = b , c |a=|a=,b|a=b,a=c|in|in in (in)|a=in|!notin'),
    ...list('a in (b)|a in(b , c)|a notin (b),c in (d)|x.io/a=b|x-y.z/a_b.c|a.b-C_d=E.f_g-h'),
    ...list(`${long}|a=${long}|${'a'.repeat(253)}/b`),
  ]
  const NO = [
    ...list(',|a,|,a|a,,b|a b|a=b c|a=!b|!|!!a|!a=b|a in|a in (b|(|a in b)|a (b)|a in (b)c'),
    ...list('a in (b c)|a===b|-a|a-|a=-b|_a|a=ü|/a|a/|X.io/a|x..y/a|-x/a|x-/a|x-.y/a|a/b/c'),
    ...list(`a\u00a0|\u00a0a|a."|a>=1|a=(b)|${long}a|a=${long}b|${'a'.repeat(254)}/b`),
  ]
  // The API server takes these, and a list by name is refused rather than judged by them.
  const DOUBT = ['a in ()', 'a in (,)', 'a in (b,)', 'a>1', 'a < 1', 'a\t=b']
  for (const input of YES)
    it(`accepts the selector '${input}'`, () => assert.equal(isLabelSelector(input), true))
  for (const input of [...NO, ...DOUBT]) {
    it(`does not accept the selector '${input}'`, () => assert.equal(isLabelSelector(input), false))
  }
})

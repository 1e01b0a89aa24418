// What a rule that lets callers impersonate users needs.

import { describe } from 'node:test'
import { checkAll, type Sections } from './sections.ts'

const route = (rule: string, more = ''): Sections => ({
  routes: `routes: [{ name: app, kind: kubernetes, authenticate: [staff], authorize: [{ ${rule} }, { allow: rest }]${more} }]`,
})

const ALLOW = 'allow: deputies, impersonate: { users: [bob] }'

describe('a rule that lets callers impersonate users', () => {
  checkAll([
    {
      name: 'is accepted with the caller’s own identity in headers',
      input: route(ALLOW, ', forward: { headers: kubernetes }'),
      want: [],
    },
    {
      name: 'is refused without, since the API server would ask whether Envoy may impersonate',
      input: route(ALLOW),
      want: [/^routes\[0\]\.authorize\[0\]\.impersonate: needs the caller’s identity in/],
    },
    {
      name: 'needs none where it denies',
      input: route('deny: nobody, impersonate: { users: [bob] }'),
      want: [],
    },
  ])
})

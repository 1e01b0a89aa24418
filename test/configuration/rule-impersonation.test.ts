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
      name: 'forwards their own identity too',
      input: route(ALLOW, ', forward: { headers: kubernetes }'),
      want: [],
    },
    {
      name: 'is refused without: the API server would ask whether Envoy may',
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

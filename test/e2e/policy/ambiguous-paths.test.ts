import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { http1, http2, type Answer } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { verdictOf } from '../asking.ts'
import { ALICE, basic, HOST, PASSWORDS, startSite, type Site } from '../site.ts'

const BOB = basic('bob', PASSWORDS.bob) // has no groups
const EXACT = 'exact.example.org'
const PICTURES = 'pictures.example.org'

/** Paths of the first route to Tomcat, Windows and many frameworks; to Envoy's letter they are of the second. */
const AMBIGUOUS = [
  '/admin;a=b/x',
  '/admin;/x',
  '/ADMIN/x',
  '/Admin',
  '/adm%C4%B0n/x',
  '/%EF%BD%81dmin/x',
  '/admin%3bx/y',
] as const

const INNOCENT = [
  '/',
  '/x',
  '/X/y',
  '/x;v=1/y',
  '/administration',
  '/x/admin;v=1',
  '/%C3%BC/',
] as const

describe(
  '17. routes and paths that servers can read in two ways, through Envoy',
  { skip: skipWithoutEnvoy() },
  () => {
    let site: Site
    before(async () => {
      const admin = {
        match: {
          hosts: [HOST, EXACT],
          paths: ['/admin', '/admin/**', '/@ops/**', '/größe/**', '/{org}/settings'],
        },
        authorize: [{ allow: 'ops', groups: ['ops'] }],
      }
      const authorize = [{ allow: 'all' }]
      site = await startSite({
        route: { ...admin, name: 'admin' },
        routes: [
          { name: 'rest', match: { hosts: [HOST] }, authorize },
          { name: 'pictures', match: { hosts: [PICTURES], paths: ['/*.png'] }, authorize },
          { ...admin, name: 'behind', match: { hosts: [PICTURES], paths: ['/admin/**'] } },
          { name: 'exact', match: { hosts: [EXACT], ambiguousPaths: 'allow' }, authorize },
        ],
      })
    })
    after(() => site[Symbol.asyncDispose]())

    for (const [version, send] of Object.entries({ http1, http2 })) {
      const ask = (path: string, host = HOST, caller = BOB): Promise<Answer> =>
        send(site.target, { host, path, headers: [caller] })

      for (const path of AMBIGUOUS) {
        it(`refuses ${path} to a user without access to the first route (${version})`, async () => {
          site.upstream.clear()
          const answer = await ask(path)
          assert.equal(await verdictOf(site, answer), '400 ambiguous-path')
          assert.match(answer.body, /malformed or ambiguous/)
          assert.equal(site.upstream.requests.length, 0)
        })
      }

      it(`refuses it to a user with access to both, and audit has the reason (${version})`, async () => {
        assert.equal(
          await verdictOf(site, await ask('/ADMIN/x', HOST, ALICE)),
          '400 ambiguous-path',
        )
        const event = (await site.events()).at(-1)
        assert.equal(event?.route, 'rest')
        assert.match(event?.detail ?? '', /one of route "admin"/)
      })

      for (const path of ['/admin', '/admin/x', '/%61dmin/x', '/x/../admin/x', '/admin/X;v=1']) {
        it(`uses the first route for ${path} (${version})`, async () => {
          assert.equal(await verdictOf(site, await ask(path)), '403 no-rule')
          assert.equal(await verdictOf(site, await ask(path, HOST, ALICE)), '200 permitted')
        })
      }

      for (const path of INNOCENT) {
        it(`uses the second route for ${path} (${version})`, async () => {
          assert.equal(await verdictOf(site, await ask(path)), '200 permitted')
        })
      }

      // Envoy compares the bytes of a path, and authz the characters that they encode.
      for (const path of ['/%40ops/x', '/gr%c3%b6%c3%9fe/x', '/gr%C3%B6%C3%9Fe/x', '/a/settings']) {
        it(`does not use the second route for ${path} (${version})`, async () => {
          const verdict = await verdictOf(site, await ask(path))
          assert.match(verdict, /^(400 ambiguous-path|403 no-rule)$/)
          const other = await verdictOf(site, await ask(path, HOST, ALICE))
          assert.equal(other, verdict.startsWith('403') ? '200 permitted' : verdict)
        })
      }

      it(`refuses a path that matches the first route without its parameters (${version})`, async () => {
        assert.equal(await verdictOf(site, await ask('/a.png', PICTURES)), '200 permitted')
        assert.equal(
          await verdictOf(site, await ask('/admin;.png', PICTURES)),
          '400 ambiguous-path',
        )
        assert.equal(await verdictOf(site, await ask('/admin/x', PICTURES)), '403 no-rule')
      })

      it(`accepts them where the route allows ambiguous paths (${version})`, async () => {
        for (const path of AMBIGUOUS) {
          assert.equal(await verdictOf(site, await ask(path, EXACT)), '200 permitted', path)
        }
        assert.equal(await verdictOf(site, await ask('/admin/x', EXACT)), '403 no-rule')
      })
    }
  },
)

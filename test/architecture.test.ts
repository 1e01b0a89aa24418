// The folders of `src/` in dependency order, and the one place of each library: read from the
// imports themselves, so that the listing stays true.

import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { describe, it } from 'node:test'
import { LIBRARIES } from './libraries.ts'

const SRC = resolve(import.meta.dirname, '../src')

// A folder, and a file of `src/` itself, imports only from what is listed above it, so no cycle
// between folders is possible. A composition root is listed above the commands that start it.
const ORDER = [
  'runtime',
  'proto',
  'x509',
  'expression',
  'config',
  'request',
  'keys',
  'state',
  'identity',
  'pki',
  'clients',
  'logins',
  'authenticate',
  'authorize',
  'grant',
  'transform',
  'audit',
  'pages',
  'configuration',
  'check',
  'issuer',
  'ca',
  'sds',
  'envoy',
  'tools',
  'workers',
  'authz.ts',
  'signer.ts',
  'cli',
  'countersign.ts',
]

/** The folders of `src/issuer/` in the same order; its own files come after all of them. */
const ISSUER_ORDER = ['http', 'provider', 'pages', 'session', '']

/** The first file of each circle that is still to be cut. */
const CIRCLES: readonly string[] = ['check/answer/login-redirect.ts', 'envoy/lint/view/host.ts']

interface Source {
  /** From `src/`, with slashes. */
  readonly path: string
  readonly folder: string
  readonly text: string
  /** What it imports and re-exports, types too. */
  readonly imports: readonly string[]
}

const withSlashes = (path: string): string => path.split(sep).join('/')

const folderOf = (path: string): string => path.split('/')[0] ?? ''

// Statements begin at the start of a line (the formatter sees to it); an import() may be anywhere.
const STATEMENT = /^(?:import|export)\b[^'"`;]*?\bfrom\s*'([^']+)'|^import\s*'([^']+)'/gm
const DYNAMIC = /\bimport\(\s*'([^']+)'/g

const importsOf = (text: string): readonly string[] =>
  [...text.matchAll(STATEMENT), ...text.matchAll(DYNAMIC)].map(
    ([, from, bare]) => from ?? bare ?? '',
  )

const sources: readonly Source[] = globSync('**/*.ts', { cwd: SRC })
  .map(withSlashes)
  .filter((path) => !path.startsWith('proto/generated/'))
  .toSorted()
  .map((path) => {
    const text = readFileSync(join(SRC, path), 'utf8')
    return { path, folder: folderOf(path), text, imports: importsOf(text) }
  })

/** The file that a relative import names, from `src/`. */
const targetOf = ({ path }: Source, specifier: string): string =>
  withSlashes(relative(SRC, resolve(SRC, dirname(path), specifier)))

const isRelative = (specifier: string): boolean => specifier.startsWith('.')

const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')

/** The circles of files that import each other, types too: each a list of paths. */
const circlesAmong = (graph: ReadonlyMap<string, readonly string[]>): readonly string[][] => {
  // Tarjan's algorithm: strongly connected components.
  const order = new Map<string, number>()
  const lowest = new Map<string, number>()
  const stack: string[] = []
  const circles: string[][] = []
  const visit = (path: string): void => {
    const index = order.size
    order.set(path, index)
    lowest.set(path, index)
    stack.push(path)
    for (const next of graph.get(path) ?? []) {
      if (!order.has(next)) visit(next)
      else if (!stack.includes(next)) continue
      lowest.set(path, Math.min(lowest.get(path) ?? 0, lowest.get(next) ?? 0))
    }
    if (lowest.get(path) !== index) return
    const circle = stack.splice(stack.indexOf(path))
    if (circle.length > 1) circles.push(circle.toSorted())
  }
  for (const path of graph.keys()) if (!order.has(path)) visit(path)
  return circles
}

describe('the reading of imports by this test', () => {
  it('finds circular imports', () => {
    const graph = new Map([
      ['a', ['b']],
      ['b', ['c']],
      ['c', ['b', 'd']],
      ['d', []],
    ])
    assert.deepEqual(circlesAmong(graph), [['b', 'c']])
  })

  it('finds every form of import', () => {
    const text = [
      "import { a } from './a.ts'",
      "import type { b } from './b.ts'",
      "import './c.ts'",
      "export * from './d.ts'",
      "export { e } from './e.ts'",
      "import {\n  f,\n} from './f.ts'",
      "const g = await import('./g.ts')",
      "import * as h from './h.ts'",
    ].join('\n')
    const found = importsOf(text).map((specifier) => specifier.slice(2, 3))
    assert.equal(found.toSorted().join(''), 'abcdefgh')
  })

  it('finds the files and imports of the program', () => {
    assert.ok(sources.length > 60)
    assert.ok(sources.reduce((sum, { imports }) => sum + imports.length, 0) > 200)
  })
})

describe('the folders of src', () => {
  it('are all in ORDER', () => {
    const unknown = sources.filter(({ folder }) => !ORDER.includes(folder))
    assert.deepEqual(
      unknown.map(({ path }) => path),
      [],
    )
  })

  for (const folder of new Set(sources.map((source) => source.folder))) {
    it(`${folder} imports only from folders above it`, () => {
      const wrong = sources
        .filter((source) => source.folder === folder)
        .flatMap((source) =>
          source.imports.filter(isRelative).map((specifier) => ({
            from: source.path,
            to: targetOf(source, specifier),
          })),
        )
        .filter(({ to }) => ORDER.indexOf(folderOf(to)) > ORDER.indexOf(folder))
      assert.deepEqual(wrong, [])
    })
  }

  for (const folder of ORDER.filter((entry) => !entry.endsWith('.ts'))) {
    it(`${folder} has a README of 3 to 12 lines`, () => {
      const lines = readFileSync(join(SRC, folder, 'README.md'), 'utf8')
        .trimEnd()
        .split('\n')
      assert.ok(lines.length >= 3 && lines.length <= 12, `${lines.length} lines`)
    })
  }

  it('of the issuer import only from those before them in ISSUER_ORDER', () => {
    const wingOf = (path: string): number =>
      ISSUER_ORDER.indexOf(path.split('/').length > 2 ? (path.split('/')[1] ?? '') : '')
    const wrong = sources
      .filter(({ folder }) => folder === 'issuer')
      .flatMap((source) =>
        source.imports.filter(isRelative).map((specifier) => ({
          from: source.path,
          to: targetOf(source, specifier),
        })),
      )
      .filter(({ from, to }) => folderOf(to) === 'issuer' && wingOf(to) > wingOf(from))
    assert.deepEqual(wrong, [])
    assert.ok(sources.every(({ path, folder }) => folder !== 'issuer' || wingOf(path) !== -1))
  })

  it('separate the signer from the phases of a check: they share `grant` alone', () => {
    const phases = ['authenticate', 'authorize', 'transform', 'check', 'issuer', 'authz.ts']
    const signing = ['ca', 'sds', 'signer.ts']
    const crossings = sources.flatMap((source) =>
      source.imports
        .filter(isRelative)
        .map((specifier) => ({ from: source.folder, to: folderOf(targetOf(source, specifier)) }))
        .filter(
          ({ from, to }) =>
            (phases.includes(from) && signing.includes(to)) ||
            (signing.includes(from) && phases.includes(to)),
        ),
    )
    assert.deepEqual(crossings, [])
  })

  it('import no file outside src except package.json', () => {
    const wrong = sources.flatMap((source) =>
      source.imports
        .filter(isRelative)
        .map((specifier) => targetOf(source, specifier))
        .filter((target) => target.startsWith('..') && target !== '../package.json'),
    )
    assert.deepEqual(wrong, [])
  })

  it('contain no files that import each other in a circle, type imports included', () => {
    const graph = new Map(
      sources.map((source) => [
        source.path,
        source.imports.filter(isRelative).map((specifier) => targetOf(source, specifier)),
      ]),
    )
    assert.deepEqual(
      circlesAmong(graph).filter(([first]) => !CIRCLES.includes(first ?? '')),
      [],
    )
  })

  it('import files by their whole name', () => {
    const wrong = sources.flatMap((source) =>
      source.imports.filter(
        (specifier) => isRelative(specifier) && !/\.(ts|json)$/.test(specifier),
      ),
    )
    assert.deepEqual(wrong, [])
  })
})

const isAt = (path: string, place: string): boolean => {
  if (place.startsWith('*')) return path.endsWith(place.slice(1))
  return place.endsWith('/') ? path.startsWith(place) : path === place
}

describe('the npm packages', () => {
  // esbuild removes what is unused from a namespace; from the export `z` of Zod it does not remove 50 languages.
  it("zod is imported by import * as z from 'zod'", () => {
    const named = sources.filter(({ text }) => /^import (?:type )?\{[^}]*\} from 'zod'/m.test(text))
    assert.deepEqual(
      named.map(({ path }) => path),
      [],
    )
  })

  const used = sources.flatMap(({ path, imports }) =>
    imports
      .filter((specifier) => !isRelative(specifier) && !specifier.startsWith('node:'))
      .map((specifier) => ({ path, library: packageOf(specifier) })),
  )

  it('are all in LIBRARIES, and each entry of LIBRARIES is in use', () => {
    assert.deepEqual(new Set(used.map(({ library }) => library)), new Set(Object.keys(LIBRARIES)))
  })

  for (const [library, places] of Object.entries(LIBRARIES)) {
    it(`${library} is imported only in ${places.join(', ')}`, () => {
      const wrong = used.filter(
        ({ path, library: imported }) =>
          imported === library && !places.some((place) => isAt(path, place)),
      )
      assert.deepEqual(wrong, [])
    })
  }
})

describe('every file of src', () => {
  it('begins with a comment about its purpose', () => {
    const wrong = sources.filter(({ text }) => !/^(#![^\n]*\n)?\/\/ \S/.test(text))
    assert.deepEqual(
      wrong.map(({ path }) => path),
      [],
    )
  })

  it('has at most 300 lines of code', () => {
    const long = sources.filter(
      ({ text }) => text.split('\n').filter((line) => !/^\s*(\/\/|$)/.test(line)).length > 300,
    )
    assert.deepEqual(
      long.map(({ path }) => path),
      [],
    )
  })

  it('uses no enum and no namespace', () => {
    const wrong = sources.filter(({ text }) => /^(export )?(const )?(enum|namespace) /m.test(text))
    assert.deepEqual(
      wrong.map(({ path }) => path),
      [],
    )
  })
})

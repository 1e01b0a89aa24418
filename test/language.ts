// Finds words of a private idiom (language-words.ts) in what is read by users and contributors:
//
// - `text`: strings of two words or more in the programs: descriptions, messages, answers, pages, help;
// - `doc`: Markdown, templates of the chart, and the comments of YAML files, the Dockerfile and shell scripts;
// - `comment`: comments of TypeScript;
// - `name`: names of tests, the first argument of `describe`, `it`, `test`, and `name:` in tables.
//
//   node test/language.ts                      how many findings each folder has
//   node test/language.ts src/runtime          lists those of a folder or file; more than one may be named
//   node test/language.ts --kind text src      only those of one kind
//   node test/language.ts --words src          how often each word was found
//   node test/language.ts --lower              writes today's counts to language-baseline.json

import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { parseSync } from 'oxc-parser'
import { AVOIDED, EXCEPTIONS } from './language-words.ts'

export type Kind = 'text' | 'doc' | 'comment' | 'name'

/** A word to avoid, found. */
export interface Finding {
  readonly kind: Kind
  /** From the root of the repository. */
  readonly file: string
  readonly line: number
  readonly found: string
  readonly write: string
}

/** How many findings each folder has of each kind; folders without any are left out. */
export type Counts = Readonly<Partial<Record<Kind, Readonly<Record<string, number>>>>>

const ROOT = resolve(import.meta.dirname, '..')
export const BASELINE = join(import.meta.dirname, 'language-baseline.json')

const PROGRAMS = ['src', 'scripts', 'demo', 'deploy', 'bench', 'test']
const SKIPPED: readonly RegExp[] = [
  /^src\/proto\/generated\//,
  /^test\/language(-words)?(\.test)?\.ts$/, // they name the words
]
// German, or programs in Lua.
const NOT_ENGLISH: readonly RegExp[] = [
  /\/texts-de\.ts$/,
  /^src\/state\/redis\/(.*-scripts|lua)\.ts$/,
]
const DOCUMENTS = ['*.md', '{docs,deploy,envoy,src,test}/**/*.md']
const YAML = ['docker-compose.yml', '{deploy,envoy}/**/*.yaml', 'Dockerfile', 'scripts/**/*.sh']
const TEMPLATES = ['deploy/**/*.{tpl,txt}']

/** All findings, by file and line. */
export const findings = (): readonly Finding[] => [
  ...files(PROGRAMS.map((folder) => `${folder}/**/*.{ts,mjs}`)).flatMap(findingsOfProgram),
  ...files(DOCUMENTS).flatMap((file) =>
    findingsIn('doc', file, read(file), withoutCode(read(file))),
  ),
  ...files(YAML).flatMap((file) => findingsIn('doc', file, read(file), yamlComments(read(file)))),
  ...files(TEMPLATES).flatMap((file) => findingsIn('doc', file, read(file), read(file))),
]

/** The findings of a TypeScript file. */
const findingsOfProgram = (file: string): readonly Finding[] => {
  const text = read(file)
  const pieces = piecesOf(file, text)
  return (['text', 'comment', 'name'] as const).flatMap((kind) => {
    if (kind === 'text' && NOT_ENGLISH.some((pattern) => pattern.test(file))) return []
    const own = pieces.filter((piece) => piece.kind === kind)
    return own.flatMap(({ start, end, shown }) =>
      findingsIn(kind, file, text, shown ?? text.slice(start, end), start),
    )
  })
}

/** A part of a program that is language. */
export interface Piece {
  readonly kind: Kind
  readonly start: number
  readonly end: number
  /** Its text, signs of comments replaced by blanks and expressions by signs. */
  readonly shown?: string
}

/** The texts, comments and names of tests in a program. */
export const piecesOf = (file: string, text: string): readonly Piece[] => {
  const { program, comments } = parseSync(file, text, { range: false })
  const isTest = file.startsWith('test/')
  const pieces: Piece[] = []
  if (!isNode(program)) throw new Error(`${file}: no program`)
  visit(program, (node, parent) => {
    if (!isLanguage(node)) return
    if (isTest) {
      if (isName(node, parent)) pieces.push({ kind: 'name', start: node.start, end: node.end })
    } else if (/\p{L}\S* \S*\p{L}/u.test(text.slice(node.start, node.end))) {
      const shown = withoutExpressions(text, node)
      pieces.push({ kind: 'text', start: node.start, end: node.end, shown })
    }
  })
  return [...pieces, ...commentPieces(text, comments)]
}

interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [key: string]: unknown
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'type' in value && 'start' in value

const visit = (
  node: Node,
  report: (node: Node, parent: Node | undefined) => void,
  parent?: Node,
): void => {
  report(node, parent)
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (isNode(child)) visit(child, report, node)
    }
  }
}

const isLanguage = (node: Node): boolean =>
  (node.type === 'Literal' && typeof node['value'] === 'string') || node.type === 'TemplateLiteral'

/** A string as it is written, the expressions of a template blanked out. */
const withoutExpressions = (text: string, node: Node): string => {
  const { expressions } = node
  let shown = text.slice(node.start, node.end)
  for (const { start, end } of Array.isArray(expressions) ? expressions.filter(isNode) : []) {
    const [from, to] = [start - node.start, end - node.start]
    shown = `${shown.slice(0, from)}${'_'.repeat(to - from)}${shown.slice(to)}`
  }
  return shown
}

const TEST_FUNCTIONS: ReadonlySet<unknown> = new Set(['describe', 'it', 'test', 'suite'])
const ROW_NAMES: ReadonlySet<unknown> = new Set(['name'])

const nameIn = (node: Node, names: ReadonlySet<unknown>): boolean => names.has(node['name'])

const isName = (node: Node, parent: Node | undefined): boolean => {
  if (parent?.type === 'CallExpression') {
    const { callee, arguments: args } = parent
    return (
      Array.isArray(args) && args[0] === node && isNode(callee) && nameIn(callee, TEST_FUNCTIONS)
    )
  }
  return (
    parent?.type === 'Property' &&
    parent['value'] === node &&
    isNode(parent['key']) &&
    nameIn(parent['key'], ROW_NAMES)
  )
}

/** Comments; those that follow each other line by line are one, so that phrases may span lines. */
const commentPieces = (
  text: string,
  comments: readonly { readonly start: number; readonly end: number }[],
): readonly Piece[] => {
  const pieces: { kind: Kind; start: number; end: number }[] = []
  for (const { start, end } of comments) {
    const last = pieces.at(-1)
    if (last !== undefined && text.slice(last.end, start).trim() === '') last.end = end
    else pieces.push({ kind: 'comment', start, end })
  }
  return pieces.map((piece) => ({
    ...piece,
    shown: text
      .slice(piece.start, piece.end)
      .replaceAll(/^[ \t]*(?:\/\/|\/\*\*?|\*\/?)|\*\/$/gmu, blanks),
  }))
}

const blanks = (text: string): string => text.replaceAll(/[^\n]/gu, ' ')

// Code is not language; nor are the addresses of links.
const withoutCode = (text: string): string =>
  text
    .replaceAll(/^(```+|~~~+)[^\n]*\n[\s\S]*?^\1/gmu, blanks)
    .replaceAll(/\]\([^)\s]*\)/gu, blanks)
    .replaceAll(/^[ \t>]*(?:[-*]|\d+\.)[ \t]/gmu, blanks)

const yamlComments = (text: string): string =>
  text.replaceAll(
    /^([ \t]*)(#?)([^\n]*)$/gmu,
    (line: string, indent: string, sign: string, rest: string) => {
      if (sign !== '') return `${indent} ${rest}`
      const at = rest.indexOf(' # ')
      return at === -1
        ? blanks(line)
        : `${blanks(`${indent}${rest.slice(0, at)} #`)}${rest.slice(at + 2)}`
    },
  )

/** The avoided words in a piece of a file; what stands in backquotes is a name, not language. */
const findingsIn = (
  kind: Kind,
  file: string,
  whole: string,
  piece: string,
  start = 0,
): readonly Finding[] => {
  // In a template the outer backquotes are the string's own.
  const inner = piece.startsWith('`') && piece.endsWith('`') ? ` ${piece.slice(1, -1)} ` : piece
  const text = EXCEPTIONS.reduce(
    (rest, { text: exception }) => rest.replaceAll(exception, blanks),
    inner.replaceAll(/\\?`[^`\n]*`/gu, (code) => '_'.repeat(code.length)),
  )
  return AVOIDED.flatMap(({ word, write }) =>
    [...text.matchAll(word)].map(({ 0: found, index }) => ({
      kind,
      file,
      line: whole.slice(0, start + index).split('\n').length,
      found: found.replaceAll(/\s+/gu, ' '),
      write,
    })),
  ).toSorted((a, b) => a.line - b.line)
}

const files = (patterns: readonly string[]): readonly string[] =>
  globSync(patterns, { cwd: ROOT, exclude: ['**/node_modules/**', '**/.cache/**'] })
    .filter((file) => !SKIPPED.some((pattern) => pattern.test(file)))
    .toSorted()

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8')

/** The folder by which a file is counted: at most two deep, such as `src/authenticate`. */
const folderOf = (file: string): string => {
  const parts = dirname(file).split('/')
  return parts.slice(0, 2).join('/')
}

/** Findings counted by kind and folder. */
export const countsOf = (found: readonly Finding[]): Counts =>
  Object.fromEntries(
    Object.entries(Object.groupBy(found, ({ kind }) => kind)).map(([kind, ofKind]) => [
      kind,
      Object.fromEntries(
        Object.entries(Object.groupBy(ofKind, ({ file }) => folderOf(file)))
          .map(([folder, ofFolder]) => [folder, ofFolder?.length ?? 0] as const)
          .toSorted(([a], [b]) => (a < b ? -1 : 1)),
      ),
    ]),
  )

const main = (): void => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      kind: { type: 'string' },
      lower: { type: 'boolean' },
      words: { type: 'boolean' },
    },
  })
  const all = findings()
  const wanted = all.filter(
    ({ file, kind }) =>
      (positionals.length === 0 || positionals.some((prefix) => file.startsWith(prefix))) &&
      (values.kind === undefined || values.kind === kind),
  )
  if (values.lower === true) {
    writeFileSync(BASELINE, `${JSON.stringify(countsOf(all), undefined, 2)}\n`)
  } else if (values.words === true) {
    const words = Object.entries(Object.groupBy(wanted, ({ found }) => found.toLowerCase()))
    for (const [word, uses] of words.toSorted(
      ([, a], [, b]) => (b?.length ?? 0) - (a?.length ?? 0),
    )) {
      console.log(`${uses?.length ?? 0}\t${word}`)
    }
  } else if (positionals.length > 0) {
    for (const { file, line, kind, found, write } of wanted) {
      console.log(`${file}:${line}: ${kind}: "${found}": write: ${write}`)
    }
    console.log(`${wanted.length} findings`)
  } else {
    console.log(JSON.stringify(countsOf(wanted), undefined, 2))
  }
}

if (import.meta.main) main()

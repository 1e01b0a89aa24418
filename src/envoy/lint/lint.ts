// The text of an Envoy configuration → its missing or dangerous settings. Pure: files that the text names
// (scripts, certificates, routes) are not read and not checked.

import type { Expectations } from './expectations.ts'
import type { Finding } from './rule.ts'
import { findAll } from './rules.ts'
import { resourceAt, type Resource } from './view/resource.ts'
import { readConfiguration } from './view/configuration.ts'
import { readDocument, type Position } from './view/document.ts'
import { siteOf } from './view/site.ts'

/** A finding and its place in the text. */
export interface PlacedFinding extends Finding {
  readonly position: Position
  /** The resource in which it is, where it is in a config dump. */
  readonly resource: Resource | undefined
}

/** What was checked, so that a clean result differs from an empty one. */
export interface Scope {
  readonly listeners: number
  readonly filters: number
  readonly routes: number
  readonly certificateUpstreams: number
  /** Whether Istio made the configuration. */
  readonly istio: boolean
}

/** The findings, in the order of the text; or why the text could not be checked. */
export type LintResult =
  | { readonly ok: true; readonly findings: readonly PlacedFinding[]; readonly scope: Scope }
  | { readonly ok: false; readonly position?: Position; readonly reason: string }

/** What the text is checked against. */
export interface LintOptions {
  /** What countersign.yaml expects of Envoy. */
  readonly expected?: Expectations | undefined
  /** The cluster of authz, when it is ambiguous. */
  readonly authzCluster?: string | undefined
}

/** Checks a bootstrap (YAML or JSON) or a config dump (JSON). */
export const lint = (text: string, options: LintOptions = {}): LintResult => {
  const reading = readDocument(text)
  if (!reading.ok) return reading
  const { root, repeated, positionsOf } = reading.document
  const configuration = readConfiguration(root)
  if (configuration === undefined) {
    return { ok: false, reason: 'it is neither an Envoy bootstrap nor a config dump' }
  }
  const { expected, authzCluster } = options
  const site = siteOf(configuration, { repeated, expected, authzCluster })
  const findings = unique(findAll(site))
  const positions = positionsOf(findings.map(({ path }) => path))
  return {
    ok: true,
    findings: findings
      .map((finding, index) => ({
        ...finding,
        position: positions[index] ?? START,
        resource: resourceAt(root, finding.path),
      }))
      .toSorted((a, b) => compare(a.position, b.position)),
    scope: {
      listeners: configuration.listeners.length,
      filters: site.guards.size,
      routes: new Set(site.managers.flatMap(({ routes }) => routes.map(({ at }) => at))).size,
      certificateUpstreams: site.certificateUpstreams.length,
      istio: site.istio,
    },
  }
}

const START: Position = { line: 1, column: 1 }

/** One finding for each place: several routes may lead to the same cluster. */
const unique = (findings: readonly Finding[]): readonly Finding[] => {
  const known = new Map<string, Finding>()
  for (const finding of findings) {
    const key = JSON.stringify([finding.rule, finding.path])
    const before = known.get(key)
    if (before === undefined || (before.severity === 'warning' && finding.severity === 'error')) {
      known.set(key, finding)
    }
  }
  return [...known.values()]
}

const compare = (a: Position, b: Position): number => a.line - b.line || a.column - b.column

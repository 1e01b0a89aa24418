// One id → all lines of the logs about its requests. The files are read again and again until
// nothing more is found: a fingerprint leads to a grant, a grant to decisions, and those to what the
// API server saw. What is held is what was found, and of that no more than a bound.

import { readAudit, type AuditLine } from '../../audit/reader.ts'
import { countedSource } from '../../runtime/counted-source.ts'
import {
  credentialOf,
  credentialValue,
  presentedNames,
  pathOf,
  readRecord,
  type ApiRequest,
  type TracedDecision,
  type TracedFailure,
  type TracedIssuance,
  type TracedLogin,
  type TracedRefusal,
  type TracedSummary,
  type TraceRecord,
} from './records.ts'
import { normalId, SearchTerms } from './search-terms.ts'

/** Where to look. */
export interface TraceLogs {
  /** Logs of authz, of signers and of Envoy, in any order. */
  readonly ours: readonly string[]
  /** Of API servers. */
  readonly kubernetes: readonly string[]
  /** Opens a file; it is called several times for each. */
  readonly open: (file: string) => AsyncIterable<Uint8Array>
}

/** A line that names an id and cannot be read, or any that is too long to be looked at. */
export interface UnreadLine {
  readonly file: string
  readonly line: number
  readonly why: string
}

/** What was found. */
export interface Found {
  readonly decisions: readonly TracedDecision[]
  /** Of the grants and certificates that the id or a decision leads to. */
  readonly issuances: readonly TracedIssuance[]
  readonly refusals: readonly TracedRefusal[]
  readonly logins: readonly TracedLogin[]
  /** What Envoy refused by itself. */
  readonly failures: readonly TracedFailure[]
  /** Refusals of the source that was searched for, which have no event of their own. */
  readonly summaries: readonly TracedSummary[]
  /** Under the ids of the decisions, or under the id itself. */
  readonly requests: readonly ApiRequest[]
  /** Further requests by the same credentials of which no decision is found; none where that is undetermined. */
  readonly unaccounted: readonly ApiRequest[]
  /** Credentials of which some requests were found under Countersign's ids. */
  readonly identified: ReadonlySet<string>
  /** Where and when these credentials were given out: path → times, in milliseconds. */
  readonly uses: ReadonlyMap<string, readonly number[]>
  readonly unread: readonly UnreadLine[]
  /** Whether there was more than is held. */
  readonly cut: boolean
}

/** How much is held. */
export interface TraceLimits {
  /** Decisions in the report. */
  readonly reports: number
  /** Decisions of the same credentials, of which only the id is kept. */
  readonly uses: number
}

// Bodies of requests may be in it (level RequestResponse), twice 1.5 MiB and their fields' owners.
const MAX_API_LINE = 16_777_216
const MAX_UNREAD = 1_000
// For each decision, of anything that belongs to it; and at least so many.
const MAX_RECORDS = 20
const LEAST_RECORDS = 2_000

/** Looks for an id. */
export const trace = async (id: string, logs: TraceLogs, limits: TraceLimits): Promise<Found> => {
  const tracer = new Tracer(normalId(id), logs, limits)
  return await tracer.run()
}

const REVIEWS: ReadonlySet<string | undefined> = new Set(['tokenreviews', 'subjectaccessreviews'])

/** The requests of authz itself, for a decision and before there is one. */
const isReview = ({ verb, objectRef }: ApiRequest): boolean =>
  verb === 'create' && REVIEWS.has(objectRef?.resource)

class Tracer {
  readonly #id: string
  /** Where the id is an address: the source that summaries count it as. */
  readonly #network: string
  readonly #logs: TraceLogs
  readonly #limits: TraceLimits
  readonly #terms = new SearchTerms()
  /** Ids by which the API server can know the reported requests. */
  readonly #correlated = new Set<string>()
  /** Grants whose decisions are reported, since they are searched for: by name, or by a certificate. */
  readonly #asked = new Set<string>()
  /** Logins and incoming tokens that lead to the reported decisions. */
  readonly #sources = new Set<string>()
  /** Grants of reported decisions. */
  readonly #handles = new Set<string>()
  /** `jti` and fingerprints that decisions and issuances have. */
  readonly #ours = new Set<string>()
  readonly #decisions = new Map<string, TracedDecision>()
  readonly #issuances = new Map<string, TracedIssuance>()
  readonly #refusals = new Map<string, TracedRefusal>()
  readonly #logins = new Map<string, TracedLogin>()
  readonly #failures = new Map<string, TracedFailure>()
  readonly #summaries = new Map<string, TracedSummary>()
  readonly #requests = new Map<string, ApiRequest>()
  readonly #others = new Map<string, ApiRequest>()
  readonly #identified = new Set<string>()
  readonly #usedBy = new Set<string>()
  readonly #uses = new Map<string, number[]>()
  readonly #unread = new Map<string, UnreadLine>()
  #cut = false

  constructor(id: string, logs: TraceLogs, limits: TraceLimits) {
    this.#id = id
    this.#logs = logs
    this.#limits = limits
    this.#network = countedSource(id)
    this.#terms.add(id, this.#network)
    this.#correlated.add(id)
    this.#asked.add(id)
    this.#handles.add(id)
  }

  async run(): Promise<Found> {
    const { ours, kubernetes } = this.#logs
    for (let known = 0; known < this.#terms.size;) {
      known = this.#terms.size
      this.#cut = false // the last round is the one that knows whose every request is
      for (const file of ours) await this.#read(file, undefined)
      this.#others.clear()
      for (const file of kubernetes) await this.#read(file, MAX_API_LINE)
    }
    return {
      decisions: [...this.#decisions.values()],
      issuances: [...this.#issuances.values()],
      refusals: [...this.#refusals.values()],
      logins: [...this.#logins.values()],
      failures: [...this.#failures.values()],
      summaries: [...this.#summaries.values()],
      requests: [...this.#requests.values()],
      unaccounted: this.#unaccounted(),
      identified: this.#identified,
      uses: this.#uses,
      unread: [...this.#unread.values()],
      cut: this.#cut,
    }
  }

  /** A credential that Countersign did not make may be used elsewhere, unless it was searched for. */
  #unaccounted(): readonly ApiRequest[] {
    if (this.#hasMoreUses) return []
    return [...this.#others.values()].filter((request) => {
      const value = credentialValue(credentialOf(request) ?? '')
      return this.#ours.has(value) || value === this.#id
    })
  }

  async #read(file: string, maxLine: number | undefined): Promise<void> {
    const options = {
      isWanted: (line: Buffer) => this.#terms.isIn(line),
      ...(maxLine === undefined ? {} : { maxLine }),
    }
    for await (const line of readAudit(this.#logs.open(file), options)) this.#add(file, line)
  }

  #add(file: string, read: AuditLine): void {
    const { line } = read
    if (read.outcome === 'unreadable') return this.#leave(file, line, read.why)
    const found = readRecord(read.event, { file, line })
    if (found.kind === 'malformed') this.#leave(file, line, `malformed: ${found.field}`)
    else this.#keep(`${file}:${line}`, found)
  }

  #leave(file: string, line: number, why: string): void {
    this.#hold(this.#unread, `${file}:${line}`, { file, line, why }, MAX_UNREAD)
  }

  #keep(key: string, found: Exclude<TraceRecord, { kind: 'malformed' }>): void {
    switch (found.kind) {
      case 'decision':
        return this.#keepDecision(key, found.record)
      case 'issuance':
        return this.#keepIssuance(key, found.record)
      case 'refusal':
        if (this.#handles.has(found.record.handle)) this.#hold(this.#refusals, key, found.record)
        return
      case 'login':
        return this.#keepLogin(key, found.record)
      case 'failure':
        return this.#keepFailure(key, found.record)
      case 'refusals-summary':
        if (found.record.source === this.#network) {
          this.#hold(this.#summaries, key, found.record)
        }
        return
      case 'api-request':
        return this.#keepRequest(key, found.record)
      case 'other':
    }
  }

  #keepDecision(key: string, decision: TracedDecision): void {
    const { id, request, handle = '', jti, presented } = decision
    const names = [id, request, ...jti, ...presentedNames(decision)]
    const isCorrelated = names.includes(this.#id) || this.#asked.has(handle)
    if (isCorrelated && this.#hold(this.#decisions, key, decision, this.#limits.reports)) {
      this.#correlated.add(id)
      if (handle !== '') this.#handles.add(handle)
      this.#terms.add(id, handle, ...jti)
      this.#lead(presented?.jti, presented?.login)
    }
    if (!isCorrelated && !this.#terms.has(handle) && !jti.some((one) => this.#terms.has(one)))
      return
    for (const one of jti) this.#ours.add(one)
    this.#use(decision)
  }

  /** The events before the reported ones are reported as well. */
  #lead(...sources: readonly (string | undefined)[]): void {
    for (const source of sources) {
      if (source === undefined) continue
      this.#sources.add(source)
      this.#terms.add(source)
    }
  }

  #keepLogin(key: string, event: TracedLogin): void {
    const { request, login, jti } = event
    const isAsked = [request, login, ...jti].includes(this.#id)
    const leads =
      event.event === 'tokens-issued'
        ? jti.some((one) => this.#sources.has(one))
        : login !== undefined && this.#sources.has(login)
    if ((isAsked || leads) && this.#hold(this.#logins, key, event)) this.#lead(login)
  }

  #keepFailure(key: string, failure: TracedFailure): void {
    const { source, serial, fingerprint, request, decision = '' } = failure
    const isAsked = [source, serial, fingerprint, request].includes(this.#id)
    if (isAsked || this.#correlated.has(decision)) this.#hold(this.#failures, key, failure)
  }

  #keepIssuance(key: string, issuance: TracedIssuance): void {
    const { handle, fingerprint, serial } = issuance
    if (fingerprint === this.#id || serial === this.#id) {
      this.#asked.add(handle)
      this.#handles.add(handle)
    }
    const isCorrelated = this.#handles.has(handle)
    if (!isCorrelated && !this.#terms.has(fingerprint)) return
    this.#ours.add(fingerprint)
    if (this.#hold(this.#issuances, key, issuance)) this.#terms.add(handle, fingerprint)
  }

  #keepRequest(key: string, request: ApiRequest): void {
    const credential = credentialOf(request)
    const value = credential === undefined ? '' : credentialValue(credential)
    if (this.#correlated.has(request.auditID)) {
      if (this.#hold(this.#requests, key, request)) this.#terms.add(value)
      if (credential !== undefined) this.#identified.add(credential)
      return
    }
    if (value === '' || !this.#terms.has(value) || isReview(request)) return
    if (!this.#usedBy.has(request.auditID)) this.#hold(this.#others, key, request)
    else if (credential !== undefined) this.#identified.add(credential)
  }

  #use({ id, path, time }: TracedDecision): void {
    if (this.#usedBy.has(id)) return
    if (this.#hasMoreUses) {
      this.#cut = true
      return
    }
    this.#usedBy.add(id)
    const times = this.#uses.get(pathOf(path)) ?? []
    times.push(Date.parse(time))
    this.#uses.set(pathOf(path), times)
  }

  /** Whether there was room. */
  #hold<T>(held: Map<string, T>, key: string, record: T, most = this.#mostRecords): boolean {
    if (held.has(key) || held.size < most) {
      held.set(key, record)
      return true
    }
    this.#cut = true
    return false
  }

  /** Whether there may be more decisions than are counted, so that a request without one may have one all the same. */
  get #hasMoreUses(): boolean {
    return this.#usedBy.size >= this.#limits.uses
  }

  get #mostRecords(): number {
    return Math.max(LEAST_RECORDS, this.#limits.reports * MAX_RECORDS)
  }
}

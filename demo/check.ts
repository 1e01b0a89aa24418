// Runs the tour and compares every answer with the expected one.

import { readFile } from 'node:fs/promises'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { describeError } from '../src/runtime/errors.ts'
import { http1, pairsOf, valuesOf, type Answer } from '../test/servers/client.ts'
import { HOST, ISSUER_HOST, VISIT, type Stop } from './tour.ts'
import { visitFaults } from './visit.ts'

/** Runs every stop and prints its results; true when all are as expected. */
export const checkTour = async (
  tour: readonly Stop[],
  { port, ca, audit }: { readonly port: number; readonly ca: string; readonly audit: string },
): Promise<boolean> => {
  let good = true
  for (const [index, stop] of tour.entries()) {
    const answer = await send(stop, port, ca)
    const faults = [
      ...faultsOf(stop, answer),
      ...(await tokenFaults(stop, answer, port, ca)),
      ...(await auditFaults(answer, audit)),
    ]
    good = report(index, stop.title, faults) && good
  }
  const faults = await visitFaults({ port, ca, audit })
  good = report(tour.length, VISIT.title, faults) && good
  console.log(good ? '\nAll answers are as expected.' : '\nSome answers are not as expected.')
  return good
}

/** Prints the results of a stop; true when all are as expected. */
const report = (index: number, title: string, faults: readonly string[]): boolean => {
  console.log(`${faults.length === 0 ? 'ok    ' : 'FAILED'} ${index + 1}. ${title}`)
  for (const fault of faults) console.log(`         ${fault}`)
  return faults.length === 0
}

const send = async ({ request }: Stop, port: number, ca: string): Promise<Answer> => {
  const host = request.host ?? HOST
  const { user, headers = [], method = 'GET', path } = request
  return await http1(
    { port, ca, serverName: host },
    {
      method,
      path,
      host: `${host}:${port}`,
      headers: [
        ...headers,
        ...(user === undefined
          ? []
          : [['Authorization', `Basic ${Buffer.from(user).toString('base64')}`] as const]),
      ],
    },
  )
}

const faultsOf = ({ want }: Stop, answer: Answer): readonly string[] => {
  const faults: string[] = []
  if (answer.status !== want.status) faults.push(`status ${answer.status}, not ${want.status}`)
  const lines = answer.headers.map(([name, value]) => `${name}: ${value}`)
  for (const line of want.answerHas ?? []) {
    if (!lines.includes(line)) faults.push(`the answer lacks "${line}"`)
  }
  for (const start of want.answerBegins ?? []) {
    if (!lines.some((line) => line.startsWith(start))) faults.push(`the answer lacks "${start}…"`)
  }
  if (want.bodyHas !== undefined && !answer.body.includes(want.bodyHas)) {
    faults.push(`the body lacks ${want.bodyHas}`)
  }
  if (want.status !== 200) return faults
  const { subject } = receivedOf(answer)
  if (want.upstreamSeesSubject !== undefined && subject !== want.upstreamSeesSubject) {
    faults.push(`the upstream was shown "${subject}", not "${want.upstreamSeesSubject}"`)
  }
  const received = receivedLines(answer)
  for (const line of new Set(want.upstreamSees)) {
    const count = received.filter((candidate) => candidate === line).length
    if (count !== 1) faults.push(`the upstream saw "${line}" ${count} times, not once`)
  }
  for (const start of want.upstreamLacks ?? []) {
    const found = received.find((line) => line.startsWith(start))
    if (found !== undefined) faults.push(`the upstream saw "${found}"`)
  }
  return faults
}

/** What is wrong with the token that the upstream got: by our published keys, and another library. */
const tokenFaults = async (
  { want }: Stop,
  answer: Answer,
  port: number,
  ca: string,
): Promise<readonly string[]> => {
  if (want.upstreamSeesToken === undefined) return []
  const lines = receivedLines(answer).filter((line) => line.startsWith('authorization: Bearer '))
  const [token = ''] = lines.map((line) => line.slice('authorization: Bearer '.length))
  const host = ISSUER_HOST
  const { body } = await http1({ port, ca, serverName: host }, { path: '/jwks', host })
  try {
    const { payload } = await jwtVerify(token, createLocalJWKSet(JSON.parse(body)))
    return Object.entries(want.upstreamSeesToken).flatMap(([claim, value]) =>
      JSON.stringify(payload[claim]) === JSON.stringify(value)
        ? []
        : [
            `the token says ${claim}: ${JSON.stringify(payload[claim])}, not ${JSON.stringify(value)}`,
          ],
    )
  } catch (cause) {
    return [`the token of the upstream is not one of Countersign: ${describeError(cause)}`]
  }
}

interface Received {
  readonly rawHeaders: readonly string[]
  /** Of the client certificate, where the upstream asks for one. */
  readonly subject?: string
}

const receivedOf = ({ body }: Answer): Received => {
  const received: Received = JSON.parse(body)
  return received
}

const receivedLines = (answer: Answer): readonly string[] =>
  pairsOf(receivedOf(answer).rawHeaders).map(([name, value]) => `${name}: ${value}`)

/** Every answer names its decision, and the audit log has exactly one event for it. */
const auditFaults = async (answer: Answer, audit: string): Promise<readonly string[]> => {
  const [id, ...more] = valuesOf(answer, 'x-countersign-decision')
  if (id === undefined || more.length > 0) return ['the answer does not carry one decision id']
  const events = (await readFile(audit, 'utf8')).split('\n').filter((line) => line.includes(id))
  return events.length === 1 ? [] : [`${events.length} audit events for decision ${id}, not one`]
}

// The configured template and an identity → the contents of the certificate. Pure.

import type { TemplateConfig } from './schema.ts'
import { Budget, sharing } from '../expression/budget.ts'
import type { TextExpression } from '../expression/cel.ts'
import type { Identity } from '../identity/identity.ts'
import { canBePassedOn } from '../identity/mapping.ts'
import { element, TAG } from '../x509/der.ts'
import {
  certificatePolicies,
  extendedKeyUsage,
  keyUsage,
  notAuthority,
  type Extension,
} from '../x509/extensions.ts'
import { encodeGeneralNames, NAME_KINDS, nameFault } from '../x509/general-names.ts'
import { attributeFault, encodeName } from '../x509/name.ts'
import { attributeOid, EXTENSIONS } from '../x509/oid.ts'

/** The part of a certificate that authz decides, except its validity. */
export interface Contents {
  /** DER of a Name. */
  readonly subject: Buffer
  readonly extensions: readonly Extension[]
}

/** The fields that delegation takes one by one. */
export interface Fields {
  readonly subject: Buffer
  readonly subjectAltName: Extension | undefined
  readonly keyUsage: Extension | undefined
  readonly extendedKeyUsage: Extension | undefined
  readonly basicConstraints: Extension | undefined
  readonly policies: Extension | undefined
  readonly others: readonly Extension[]
}

/** A template applied to identities. */
export interface Template {
  /** `undefined` when a value is missing, or a certificate cannot contain it unchanged. */
  apply(identity: Identity): Fields | undefined
}

/** Makes the template of a route. What never changes is encoded here, once. */
export const compileTemplate = (config: TemplateConfig): Template => {
  const subject = Object.entries(config.subject ?? {}).map(([name, expression]) => ({
    oid: attributeOid(name) ?? name,
    expression,
  }))
  const usages = {
    keyUsage: keyUsage(config.keyUsage),
    extendedKeyUsage: extendedKeyUsage(config.extendedKeyUsage),
    basicConstraints: config.basicConstraints ? notAuthority : undefined,
    policies: config.policies.length === 0 ? undefined : certificatePolicies(config.policies),
  }
  const others = Object.entries(config.extensions).map(([oid, extension]) =>
    compileExtension(oid, extension),
  )
  const applied = (identity: Identity): Fields | undefined => {
    const name = encodeSubject(subject, identity)
    const alternatives = encodeAlternatives(config.subjectAltName, identity)
    const further = others.map((make) => make(identity))
    if (name === undefined || alternatives === undefined) return undefined
    if (!further.every((extension) => extension !== undefined)) return undefined
    return { subject: name, ...usages, subjectAltName: alternatives.extension, others: further }
  }
  return { apply: (identity) => sharing(new Budget(), () => applied(identity)) }
}

/** The fields in the order of the certificate. */
export const contentsOf = (fields: Fields): Contents => ({
  subject: fields.subject,
  extensions: [
    fields.keyUsage,
    fields.extendedKeyUsage,
    fields.basicConstraints,
    fields.subjectAltName,
    fields.policies,
    ...fields.others,
  ].filter((extension) => extension !== undefined),
})

const encodeSubject = (
  subject: readonly { readonly oid: string; readonly expression: TextExpression }[],
  identity: Identity,
): Buffer | undefined => {
  const attributes = []
  for (const { oid, expression } of subject) {
    for (const value of valuesOf(expression, identity) ?? [undefined]) {
      if (value === undefined || attributeFault({ oid, value }) !== undefined) return undefined
      attributes.push({ oid, value })
    }
  }
  // An empty name identifies no user. (There are no attributes to begin with where delegation copies the subject.)
  return subject.length > 0 && attributes.length === 0 ? undefined : encodeName(attributes)
}

const encodeAlternatives = (
  config: TemplateConfig['subjectAltName'],
  identity: Identity,
): { readonly extension: Extension | undefined } | undefined => {
  const names = []
  for (const kind of NAME_KINDS) {
    const expression = config[kind]
    if (expression === undefined) continue
    for (const value of valuesOf(expression, identity) ?? [undefined]) {
      if (value === undefined || nameFault(kind, value) !== undefined) return undefined
      names.push({ kind, value })
    }
  }
  if (names.length === 0) return { extension: undefined }
  const value = encodeGeneralNames(names)
  return { extension: { oid: EXTENSIONS.subjectAltName, critical: false, value } }
}

const compileExtension = (
  oid: string,
  { critical, utf8String, der }: TemplateConfig['extensions'][string],
): ((identity: Identity) => Extension | undefined) => {
  if (utf8String === undefined) {
    const extension = { oid, critical, value: Buffer.from(der ?? '', 'base64') }
    return () => extension
  }
  return (identity) => {
    const values = valuesOf(utf8String, identity)
    if (values?.length !== 1) return undefined
    return { oid, critical, value: element(TAG.utf8String, Buffer.from(values.join(), 'utf8')) }
  }
}

/** The values of an expression, if each of them can be passed on whole. */
const valuesOf = (
  expression: TextExpression,
  identity: Identity,
): readonly string[] | undefined => {
  const values = expression.evaluate({ identity })
  return values?.every(canBePassedOn) === true ? values : undefined
}

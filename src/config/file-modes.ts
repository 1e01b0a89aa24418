// Modes of files that are refused where they are read: of keys by which identities can be forged, and of files that
// decide who is let in.

const OTHERS = 0o007
const WRITABLE_BY_OTHERS = 0o002
const WRITABLE_BY_GROUP = 0o020

/** The permissions of a mode, as chmod(1) has them: `0640`. */
export const octal = (mode: number): string => `0${(mode & 0o777).toString(8).padStart(3, '0')}`

/**
 * What is wrong with the mode of a key by which identities can be forged. Its group may read it: with `fsGroup` the
 * kubelet adds 0440 to the files of a Secret (kubernetes pkg/volume/volume_linux.go).
 *
 * @param what the key, for the message
 */
export const forgingKeyFault = (file: string, mode: number, what: string): string | undefined =>
  (mode & (OTHERS | WRITABLE_BY_GROUP)) === 0 || hasNoModes()
    ? undefined
    : `${file} has mode ${octal(mode)}: ${what} is for its owner, and at most for its group to read (chmod 0600; of a Kubernetes secret "defaultMode: 0400", or 0440 with fsGroup)`

/** What is wrong with the mode of a file that decides who is let in. */
export const writableFault = (file: string, mode: number): string | undefined =>
  (mode & WRITABLE_BY_OTHERS) === 0 || hasNoModes()
    ? undefined
    : `${file} has mode ${octal(mode)}: every user of this machine can change it (chmod o-w)`

/** Windows has access control lists, and Node makes up a mode. */
const hasNoModes = (): boolean => process.platform === 'win32'

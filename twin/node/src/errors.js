// What goes wrong with a twin itself. No message holds a credential.

/** Every error of this package. */
export class TwinError extends Error {
  get name() {
    return this.constructor.name;
  }
}

/** There is no program `tokenry` where it is looked for; the message says how to get it. */
export class BinaryNotFound extends TwinError {}

/** The program ended, or said nothing, before it served; the message holds its last words. */
export class StartError extends TwinError {}

/** A twin refused to be turned, or could not be reached. */
export class ControlError extends TwinError {
  constructor(call, status, description, options) {
    super(`${call}: ${status === undefined ? '' : `${status}: `}${description}`, options);
    /** That of its answer; `undefined` where there was none. */
    this.status = status;
    /** What is wrong and what would be right. */
    this.description = description;
  }
}

// What can go wrong. Every error says what to do next.

export class CountersignError extends Error {
  /** @param {string} message @param {ErrorOptions} [options] */
  constructor(message, options) {
    super(message, options);
    this.name = new.target.name;
  }
}

export class StartError extends CountersignError {}

export class NoMessage extends CountersignError {}

export class CallError extends CountersignError {
  /** @param {string} message @param {number} status @param {unknown} answer */
  constructor(message, status, answer) {
    super(message);
    this.status = status;
    this.answer = answer;
  }
}

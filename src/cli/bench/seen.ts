// Which numbers have come, one bit each, so that what is missing or came twice is known. It knows not what they number.

export class Seen {
  #bits = new Uint8Array(128)
  count = 0
  twice = 0

  add(number: number): void {
    const byte = number >>> 3
    if (byte >= this.#bits.length) this.#grow(byte)
    const bit = 1 << (number & 7)
    if ((this.#bits[byte] as number) & bit) {
      this.twice++
      return
    }
    this.#bits[byte] = (this.#bits[byte] as number) | bit
    this.count++
  }

  has(number: number): boolean {
    return ((this.#bits[number >>> 3] ?? 0) & (1 << (number & 7))) !== 0
  }

  #grow(byte: number): void {
    const larger = new Uint8Array(Math.max(byte + 1, this.#bits.length * 2))
    larger.set(this.#bits)
    this.#bits = larger
  }
}

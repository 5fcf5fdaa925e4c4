// A TCP connection in between that can be cut, stalled (open, but nothing passes) and slowed down.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export class TcpProxy {
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  /** Those whose last chunk still waits: whatever was resumed before it passed would overtake it. */
  private readonly waiting = new Set<Socket>();
  private delayMs = 0;
  private refusing = false;

  private constructor(server: Server) {
    this.server = server;
  }

  /** To `port` on loopback; `at` is where it listens, 0 for anywhere. */
  static open(port: number, at = 0): Promise<TcpProxy> {
    return TcpProxy.to({ host: '127.0.0.1', port }, at);
  }

  static async to(address: { readonly host: string; readonly port: number }, at = 0): Promise<TcpProxy> {
    const server = createServer();
    const proxy = new TcpProxy(server);
    server.on('connection', (near) => proxy.join(near, address));
    server.listen(at, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Resets every connection, and refuses new ones until `heal`. */
  cut(): void {
    this.refusing = true;
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  /** Connections stay open, and nothing passes until `heal`. */
  stall(): void {
    for (const socket of this.sockets) socket.pause();
    this.delayMs = Number.POSITIVE_INFINITY;
  }

  /** Everything takes so much longer. */
  slow(ms: number): void {
    this.delayMs = ms;
  }

  heal(): void {
    this.refusing = false;
    this.delayMs = 0;
    for (const socket of this.sockets) if (!this.waiting.has(socket)) socket.resume();
  }

  close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  private join(near: Socket, { host, port }: { host: string; port: number }): void {
    if (this.refusing) return void near.resetAndDestroy();
    const far = connect(port, host);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ]) {
      this.sockets.add(from);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.sockets.delete(from);
        to.destroy();
      });
      from.on('data', (chunk) => {
        if (this.delayMs === 0) return void to.write(chunk);
        from.pause(); // one chunk at a time, in order
        if (this.delayMs === Number.POSITIVE_INFINITY) return void to.write(chunk); // it was on its way
        this.waiting.add(from);
        setTimeout(() => {
          this.waiting.delete(from);
          to.write(chunk);
          if (this.delayMs !== Number.POSITIVE_INFINITY) from.resume();
        }, this.delayMs);
      });
      if (this.delayMs === Number.POSITIVE_INFINITY) from.pause();
    }
  }
}

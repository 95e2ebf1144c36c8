/** The parts of node-red-node-test-helper that are used here; the package has no types of its own. */
declare module 'node-red-node-test-helper' {
  import type { Node, NodeInitializer } from 'node-red';

  interface TestHelper {
    init(nodeRedPath: string): void;
    startServer(done: () => void): void;
    stopServer(done: () => void): void;
    load(nodes: NodeInitializer[], flow: object[], credentials?: object): Promise<void>;
    unload(): Promise<void>;
    settings(settings: object): object;
    setFlows(flow: object[], type: 'full' | 'nodes' | 'flows'): Promise<void>;
    getNode(id: string): Node;
  }

  const helper: TestHelper;
  export default helper;
}

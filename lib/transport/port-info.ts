import type { Adapter } from './adapters.ts';

/** One port of this machine, as facts: how they are put into words is up to higher floors. */
export interface PortInfo {
  /** What `openTransport` takes: `COM3`, `/dev/ttyUSB0`, `/dev/cu.usbserial-110`. */
  path: string;
  /** Four hexadecimal digits, lower case. */
  vendorId?: string;
  productId?: string;
  manufacturer?: string;
  product?: string;
  serialNumber?: string;
  /** Where it is plugged in (`1-1.2` on Linux): stays the same when the path changes. */
  locationId?: string;
  pnpId?: string;
  /** The chip behind it, if its USB ids are known. */
  adapter?: Adapter;
  /** Whether a board may be behind it; sorted first. */
  likely: boolean;
  /** Linux: a link with the device's serial number in its name, which follows the device. */
  byId?: string;
  /**
   * False when the kernel knows the device but there is no such file here: a container that was not
   * given the device. Absent where that cannot be told.
   */
  present?: boolean;
}

/** Leaves out what is not known, so that a fact is either there or not. */
export function compact(
  facts: { [Key in keyof PortInfo]: PortInfo[Key] | undefined } & { path: string; likely: boolean },
): PortInfo {
  return Object.fromEntries(
    Object.entries(facts).filter(([, value]) => value !== undefined),
  ) as unknown as PortInfo;
}

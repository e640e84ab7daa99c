"""A Modbus TCP server (pymodbus) that a test drives over standard input.

Registers 0 to 299 of unit 1, one memory for both tables. Lines in, one answer line each:

    set ADDRESS WORD...      write registers
    get ADDRESS COUNT        read them
    count ADDRESS [LAST]     register ADDRESS (to LAST) grows by one with every read that covers it
    fail yes|no              whether reads of registers 100 and above are answered with exception 4
    ignore yes|no            whether writes are answered and forgotten
"""

import asyncio
import sys

from pymodbus.constants import ExcCodes
from pymodbus.server import StartAsyncTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

memory = None
counting = set()
fail = ignore = False
kept = [0] * 300


async def action(function, start, address, count, registers, values):
    global memory
    memory = registers
    if values is None:
        if fail and address >= 100:
            return ExcCodes.DEVICE_FAILURE
        for counter in counting:
            if address <= counter < address + count:
                kept[counter] = (kept[counter] + 1) % 65536
        registers[: len(kept)] = kept
    elif not ignore:
        kept[address : address + len(values)] = values
    return None


def handle(words):
    global fail, ignore
    match words:
        case ["set", address, *values]:
            kept[int(address) : int(address) + len(values)] = [int(value) for value in values]
        case ["get", address, count]:
            values = kept[int(address) : int(address) + int(count)]
            return "got " + " ".join(str(value) for value in values)
        case ["count", first, *last]:
            counting.update(range(int(first), int(last[0] if last else first) + 1))
        case ["fail", answer]:
            fail = answer == "yes"
        case ["ignore", answer]:
            ignore = answer == "yes"
        case _:
            return "what?"
    return "done"


async def drive():
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        print(handle(line.split()), flush=True)


async def main():
    block = SimData(0, values=kept, datatype=DataType.REGISTERS)
    device = SimDevice(1, simdata=[block], action=action)
    server = asyncio.create_task(
        StartAsyncTcpServer(device, address=("127.0.0.1", int(sys.argv[1])))
    )
    await asyncio.sleep(0.2)
    print("ready", flush=True)
    await drive()
    server.cancel()


asyncio.run(main())

"""An IEC 60870-5-104 outstation (c104) that a test drives over standard input.

Points of common address 47: 30 a counter, 11 a short float, 1 and 2 single points, 100 a set-point
that must be selected before it is executed; 31 a counter, 21 a short float and 3 a single point
with time tags. Lines in, one answer line each:

    float VALUE | counter VALUE | state VALUE | invalid   send one spontaneous value
    floats N                                              send 0..N-1, spontaneously, in order
    counters N                                            the same for the counter
    refuse yes|no                                         whether set-points are refused
    told                                                  the set-points that were executed
    tagged counter|float|state VALUE MS                   send one with the tag of a Unix time, in UTC
    clock                                                 the last time it was set to: its digits read
                                                          as UTC, in Unix ms; 0 if never
"""

import calendar
import datetime
import sys
import time

import c104

station = point_float = point_counter = point_state = None
told = []
tagged = {}
refuse = False
clock_ms = 0


def on_set_point(
    point: c104.Point, previous_info: c104.Information, message: c104.IncomingMessage
) -> c104.ResponseState:
    if refuse:
        return c104.ResponseState.FAILURE
    told.append(float(point.value))
    return c104.ResponseState.SUCCESS


def on_clock_sync(
    server: c104.Server, ip: str, date_time: datetime.datetime
) -> c104.ResponseState:
    global clock_ms
    clock_ms = calendar.timegm(date_time.timetuple()) * 1000 + date_time.microsecond // 1000
    return c104.ResponseState.SUCCESS


def send_tagged(kind, value, ms):
    seconds = datetime.timedelta(milliseconds=int(ms))
    at = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc) + seconds
    point = tagged[kind]
    match kind:
        case "counter":
            quality = c104.BinaryCounterQuality()  # Its default is of another type.
            point.info = c104.BinaryCounterInfo(int(value), c104.UInt5(1), quality, at)
        case "float":
            point.info = c104.ShortInfo(float(value), recorded_at=at)
        case "state":
            point.info = c104.SingleInfo(value == "1", recorded_at=at)
    point.transmit(cause=c104.Cot.SPONTANEOUS)


def send(point, change):
    change()
    point.transmit(cause=c104.Cot.SPONTANEOUS)


def send_many(point, values, change):
    # c104 keeps a bounded queue for each connection and forgets what does not fit; a real station
    # is no faster than this.
    for index, value in enumerate(values):
        change(value)
        while not point.transmit(cause=c104.Cot.SPONTANEOUS):
            time.sleep(0.001)
        if index % 10 == 9:
            time.sleep(0.005)


def set_float(value):
    point_float.value = float(value)


def set_counter(value):
    point_counter.value = value


def handle(words):
    global refuse
    match words:
        case ["float", value]:
            send(point_float, lambda: set_float(value))
        case ["counter", value]:
            send(point_counter, lambda: set_counter(int(value)))
        case ["state", value]:
            send(point_state, lambda: setattr(point_state, "value", value == "1"))
        case ["invalid"]:
            point_float.quality = c104.Quality.Invalid
            send(point_float, lambda: None)
        case ["floats", count]:
            send_many(point_float, range(int(count)), set_float)
        case ["counters", count]:
            send_many(point_counter, range(int(count)), set_counter)
        case ["refuse", answer]:
            refuse = answer == "yes"
        case ["told"]:
            return "told " + " ".join(str(value) for value in told)
        case ["tagged", kind, value, ms]:
            send_tagged(kind, value, ms)
        case ["clock"]:
            return f"clock {clock_ms}"
        case _:
            return "what?"
    return "done"


def main():
    global station, point_float, point_counter, point_state
    server = c104.Server(ip="127.0.0.1", port=int(sys.argv[1]), tick_rate_ms=50)
    station = server.add_station(common_address=47)
    point_counter = station.add_point(io_address=30, type=c104.Type.M_IT_NA_1)
    point_float = station.add_point(io_address=11, type=c104.Type.M_ME_NC_1)
    # Neighbours of one type are answered as one sequence (SQ = 1) in an interrogation.
    for address in (12, 13, 14):
        station.add_point(io_address=address, type=c104.Type.M_ME_NC_1).value = float(address)
    point_state = station.add_point(io_address=1, type=c104.Type.M_SP_NA_1)
    station.add_point(io_address=2, type=c104.Type.M_SP_NA_1).value = True
    tagged["counter"] = station.add_point(io_address=31, type=c104.Type.M_IT_TB_1)
    tagged["float"] = station.add_point(io_address=21, type=c104.Type.M_ME_TF_1)
    tagged["state"] = station.add_point(io_address=3, type=c104.Type.M_SP_TB_1)
    set_point = station.add_point(
        io_address=100,
        type=c104.Type.C_SE_NC_1,
        command_mode=c104.CommandMode.SELECT_AND_EXECUTE,
    )
    set_point.on_receive(callable=on_set_point)
    server.on_clock_sync(callable=on_clock_sync)
    point_float.value = 42.5
    point_state.value = True
    set_counter(12345)
    server.start()
    print("ready", flush=True)
    for line in sys.stdin:
        print(handle(line.split()), flush=True)


main()

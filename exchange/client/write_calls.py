"""What changes something: placing and cancelling. Each is sent once and only says "received" (dossier 5, 3.2)."""

from exchange.client.caller import Params
from exchange.client.errors import ExchangeError, Kind, UnknownOutcome
from exchange.client.private_calls import FAMILIES, one_id
from exchange.client.reader import Reader, given
from exchange.types import Ack, NameSpace, NewOrder


class WriteCalls(Reader):
    """Every method raises UnknownOutcome when it may have been executed: then look, never repeat."""

    def order_create(self, name_space: NameSpace, order: NewOrder) -> Ack:
        """Place one order; trigger orders belong to the ADVANCED family (dossier 5.11, 5.21)."""
        method = f"{FAMILIES[name_space]}/create-order"
        ack = self._acked(method, order.to_params(), Kind.CREATE)
        if not ack.order_id:
            raise self._doubtful(method, "it was accepted without an order id", order)
        if ack.client_oid != order.client_oid:
            raise self._doubtful(method, "the answer names another order", order)
        return ack

    def order_cancel(
        self, name_space: NameSpace, *, order_id: str | None = None, client_oid: str | None = None
    ) -> Ack:
        """Ask to cancel one order by one of its ids; NotActive when it is too late (dossier 5.13, 5.27)."""
        params = one_id(order_id, client_oid)
        return self._acked(f"{FAMILIES[name_space]}/cancel-order", params, Kind.CANCEL)

    def orders_cancel_all(
        self, name_space: NameSpace, *, instrument_name: str | None = None, kind: str | None = None
    ) -> None:
        """Ask to cancel a family's orders; `kind` LIMIT, ALL or, advanced, TRIGGER (dossier 5.14, 5.28)."""
        params = given(instrument_name=instrument_name, type=kind)
        self._call(f"{FAMILIES[name_space]}/cancel-all-orders", params, Kind.CANCEL)

    def oco_create(self, first: NewOrder, second: NewOrder) -> str:
        """Place a LIMIT and a trigger leg of which one cancels the other; the list's id (dossier 5.23).

        Legs with `exec_inst` are a ValueError: how their signature is built is disputed (dossier 2.3).
        """
        if first.exec_inst or second.exec_inst:
            raise ValueError("the legs of a list cannot carry exec_inst")
        params = {"order_list": [first.to_params(), second.to_params()]}
        method = "private/advanced/create-oco"
        list_id = self._call(method, params, Kind.CREATE).list_id
        if not list_id:
            raise self._doubtful(method, "it was accepted without a list id", first)
        return list_id

    def oco_cancel(self, list_id: str) -> None:
        """Ask to cancel both legs (dossier 5.24)."""
        self._call("private/advanced/cancel-oco", {"list_id": list_id}, Kind.CANCEL)

    def _acked(self, method: str, params: Params, kind: Kind) -> Ack:
        """The receipt; ids the answer leaves out are those that were sent."""
        envelope = self._call(method, params, kind)
        return Ack(
            order_id=envelope.order_id or str(params.get("order_id", "")),
            client_oid=envelope.client_oid or str(params.get("client_oid", "")),
            code=envelope.code or 0,
            message=envelope.wording,
        )

    def _doubtful(self, method: str, message: str, order: NewOrder) -> ExchangeError:
        return self._noted(UnknownOutcome(method=method, message=message, client_oid=order.client_oid))

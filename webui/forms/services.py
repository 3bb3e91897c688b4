"""The form of a service type, with as many lines of requirements as it has and some empty ones."""

from __future__ import annotations

from wtforms import BooleanField, Field, IntegerField, StringField
from wtforms.validators import Optional

from appliance.casework.service_types import MOST_REQUIREMENTS, Requirement, Service, ServiceFields
from webui.forms.fields import Line, Needed, PageForm, Whole

EMPTY_LINES = 3


class Requirements(Field):
    """The lines of the checklist, each of four inputs with a number; a line without a name is none."""

    data: tuple[Requirement, ...]

    def process(self, formdata: object, *_args: object, **_more: object) -> None:
        """Read `requirement-N` and its companions from what was sent."""
        self.process_errors, self.raw_data = [], []
        self.data = self.object_data = ()
        sent = formdata.get if formdata is not None and hasattr(formdata, "get") else None
        if sent:
            lines = (_line(sent, number) for number in range(MOST_REQUIREMENTS + EMPTY_LINES))
            self.data = tuple(line for line in lines if line.name)


class ServiceForm(PageForm):
    """One service, new or known. The names are those of ServiceFields."""

    version = IntegerField(default=0)
    code = Line(default="")
    name = Line(default="", validators=[Needed("Tulis nama layanan.")])
    category = StringField(default="", validators=[Needed("Pilih kategori.")])
    working_days = Whole(validators=[Optional()])
    requirements = Requirements()
    simple = BooleanField()
    needs_visit = BooleanField()
    needs_list_check = BooleanField()
    village_may_handle = BooleanField()
    active = BooleanField()

    @classmethod
    def of(cls, service: Service) -> ServiceForm:
        """The form with what stands."""
        form = cls(obj=service.fields, data={"version": service.version})
        form.requirements.data = service.fields.requirements
        return form

    def fields(self) -> ServiceFields:
        """What was typed, as the service takes it."""
        return ServiceFields(**{name: value for name, value in self.data.items() if name != "version"})

    def lines(self) -> list[Requirement]:
        """The checklist with empty lines to write into."""
        return [*self.requirements.data, *[Requirement("")] * EMPTY_LINES]


def _line(sent: object, number: int) -> Requirement:
    def text(name: str) -> str:
        return " ".join(str(sent(f"{name}-{number}") or "").split())  # type: ignore[operator]

    return Requirement(text("requirement"), text("required") == "1", text("kind") or "lain", text("example"))
